// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/credentials.hpp>

#include <troupe/base/error.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace troupe::network {

namespace {

template <auto Free>
struct freed {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

using private_key = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY_free>>;
using certificate = std::unique_ptr<X509, freed<X509_free>>;

/// Both ends must agree on these: another value is another protocol.
constexpr std::string_view salt{"troupe network key, version 1"};
constexpr std::uint64_t scrypt_rounds = 1 << 15;
constexpr std::uint64_t scrypt_block = 8;
constexpr std::uint64_t scrypt_memory = 64 << 20;

void require(bool done, std::string_view what) {
  if (!done)
    throw invalid_state("derive a key pair",
                        "OpenSSL refused to " + std::string{what});
}

private_key derive(const key& shared) {
  std::array<unsigned char, 32> seed{};
  const auto secret = shared.reveal();
  require(EVP_PBE_scrypt(secret.data(), secret.size(),
                         reinterpret_cast<const unsigned char*>(salt.data()),
                         salt.size(), scrypt_rounds, scrypt_block, 1,
                         scrypt_memory, seed.data(), seed.size())
            == 1,
          "run scrypt");
  private_key made{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                                seed.data(), seed.size())};
  OPENSSL_cleanse(seed.data(), seed.size());
  require(made != nullptr, "make an Ed25519 key");
  return made;
}

certificate sign(EVP_PKEY* by) {
  certificate made{X509_new()};
  require(made != nullptr, "make a certificate");
  auto* const of = made.get();
  // The clocks of two machines need not agree.
  require(
    X509_set_version(of, X509_VERSION_3) == 1
      && ASN1_INTEGER_set(X509_get_serialNumber(of), 1) == 1
      && ASN1_TIME_set_string(X509_getm_notBefore(of), "700101000000Z") == 1
      && ASN1_TIME_set_string(X509_getm_notAfter(of), "99991231235959Z") == 1,
    "date a certificate");
  auto* const name = X509_get_subject_name(of);
  require(X509_NAME_add_entry_by_txt(
            name, "CN", MBSTRING_ASC,
            reinterpret_cast<const unsigned char*>("troupe"), -1, -1,
            0) == 1
            && X509_set_issuer_name(of, name) == 1
            && X509_set_pubkey(of, by) == 1 && X509_sign(of, by, nullptr) > 0,
          "sign a certificate");
  return made;
}

} // namespace

credentials::credentials(const key& shared)
  : from_(shared),
    private_key_(derive(shared).release()),
    certificate_(sign(private_key_.get()).release()) {
}

credentials::~credentials() = default;

std::shared_ptr<const credentials> credentials::of(const key& shared) {
  static auto& mutex = *new std::mutex;
  static auto& known = *new std::vector<std::weak_ptr<const credentials>>;
  const auto wanted = shared.reveal();
  // Who wants the same waits for it, and then has it.
  const std::scoped_lock guard{mutex};
  std::erase_if(known, [](const auto& each) { return each.expired(); });
  for (const auto& each : known)
    if (auto found = each.lock()) {
      const auto has = found->from_.reveal();
      if (has.size() == wanted.size()
          && CRYPTO_memcmp(has.data(), wanted.data(), has.size()) == 0)
        return found;
    }
  // In a block of its own: `make_shared` would keep that for the weak ones.
  std::shared_ptr<const credentials> made{new credentials{shared}};
  known.push_back(made);
  return made;
}

namespace {

/// Whether the other end has shown the same public key. That it can sign with
/// the private one is what TLS asks next.
int is_ours(X509_STORE_CTX* of, void* ours) {
  auto* const shown = X509_STORE_CTX_get0_cert(of);
  if (shown != nullptr
      && EVP_PKEY_eq(X509_get0_pubkey(shown),
                     X509_get0_pubkey(static_cast<X509*>(ours)))
           == 1) {
    X509_STORE_CTX_set_error(of, X509_V_OK);
    return 1;
  }
  X509_STORE_CTX_set_error(of, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
  return 0;
}

} // namespace

tls_context::tls_context(std::shared_ptr<const credentials> shown, role as)
  : shown_(std::move(shown)),
    context_(SSL_CTX_new(as == role::client ? TLS_client_method()
                                            : TLS_server_method())),
    role_(as) {
  require(context_ != nullptr, "make a context");
  auto* const of = context_.get();
  // The faster one first; both ends are ours.
  require(SSL_CTX_set_min_proto_version(of, TLS1_3_VERSION) == 1
            && SSL_CTX_set_ciphersuites(of, "TLS_AES_128_GCM_SHA256:"
                                            "TLS_CHACHA20_POLY1305_SHA256")
                 == 1
            && SSL_CTX_use_certificate(of, shown_->certificate()) == 1
            && SSL_CTX_use_PrivateKey(of, shown_->private_key()) == 1,
          "use a certificate");
  SSL_CTX_set_verify(of, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     nullptr);
  SSL_CTX_set_cert_verify_callback(of, is_ours, shown_->certificate());
  // No session is taken up again: a full handshake each time.
  SSL_CTX_set_session_cache_mode(of, SSL_SESS_CACHE_OFF);
  require(SSL_CTX_set_num_tickets(of, 0) == 1, "do without tickets");
  SSL_CTX_set_options(of, SSL_OP_NO_TICKET);
}

} // namespace troupe::network
