// SPDX-License-Identifier: BSL-1.0
#include <troupe/network/credentials.hpp>

#include <troupe/base/error.hpp>
#include <troupe/os/memory_file.hpp>
#include <troupe/os/pipe.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
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

using bio = std::unique_ptr<BIO, freed<BIO_free_all>>;
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

os::descriptor keep(const char* label, BIO* from) {
  char* text = nullptr;
  const auto size = BIO_get_mem_data(from, &text);
  auto file = os::make_memory_file(label, static_cast<std::uint64_t>(size));
  if (!os::write_all(file.get(), {text, static_cast<std::size_t>(size)}))
    throw os_failure("keep a key pair in memory");
  return file;
}

std::string path_of(const os::descriptor& file) {
  return "/proc/self/fd/" + std::to_string(file.get());
}

} // namespace

credentials::credentials(const key& shared) {
  const auto secret = derive(shared);
  const auto shown = sign(secret.get());
  const bio text{BIO_new(BIO_s_secmem())};
  require(text != nullptr
            && PEM_write_bio_PKCS8PrivateKey(text.get(), secret.get(), nullptr,
                                             nullptr, 0, nullptr, nullptr)
                 == 1,
          "write a private key");
  private_key_ = keep("troupe-private-key", text.get());
  const bio open_text{BIO_new(BIO_s_mem())};
  require(open_text != nullptr
            && PEM_write_bio_X509(open_text.get(), shown.get()) == 1,
          "write a certificate");
  certificate_ = keep("troupe-certificate", open_text.get());
}

std::string credentials::private_key_path() const {
  return path_of(private_key_);
}

std::string credentials::certificate_path() const {
  return path_of(certificate_);
}

} // namespace troupe::network
