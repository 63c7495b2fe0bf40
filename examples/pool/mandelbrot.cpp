// SPDX-License-Identifier: BSL-1.0
// mandelbrot [FILE [WIDTH]]: a picture of the Mandelbrot set as PNG, row by row
// by a pool.

#include <troupe/pool/pool.hpp>
#include <troupe/process/program.hpp>

#include <png.h>

#include <complex>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

using row = std::vector<std::uint8_t>;

/// Computes row `y` of a picture that is `width` wide and two thirds as high.
row compute_row(std::uint32_t y, std::uint32_t width) {
  constexpr unsigned most = 255;
  const auto scale = 3.0 / width;
  row grey(width);
  for (std::uint32_t x = 0; x < width; ++x) {
    const std::complex<double> c{x * scale - 2.0, y * scale - 1.0};
    std::complex<double> z;
    unsigned steps = 0;
    while (steps < most && std::norm(z) < 4.0) {
      z = z * z + c;
      ++steps;
    }
    grey[x] = static_cast<std::uint8_t>(most - steps);
  }
  return grey;
}

int main(int argc, char** argv) {
  troupe::program program{argc, argv};
  const auto arguments = program.arguments();
  const auto file = arguments.empty()
                      ? std::filesystem::temp_directory_path()
                          / ("mandelbrot-"
                             + std::to_string(troupe::current_process().pid())
                             + ".png")
                      : std::filesystem::path{arguments[0]};
  const auto width = arguments.size() > 1
                       ? static_cast<std::uint32_t>(std::stoul(arguments[1]))
                       : 600U;
  const auto height = width * 2 / 3;

  std::vector<std::pair<std::uint32_t, std::uint32_t>> rows;
  for (std::uint32_t y = 0; y < height; ++y)
    rows.emplace_back(y, width);
  troupe::pool pool;
  std::vector<std::uint8_t> pixels;
  for (const auto& each : pool.starmap<compute_row>(rows, 8))
    pixels.insert(pixels.end(), each.begin(), each.end());

  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = PNG_FORMAT_GRAY;
  if (png_image_write_to_file(&image, file.c_str(), 0, pixels.data(), 0,
                              nullptr)
      == 0) {
    std::cerr << "cannot write " << file << ": " << image.message << std::endl;
    return 1;
  }
  std::cout << width << " x " << height << " pixels in "
            << file.filename().string() << std::endl;
  // Shown nowhere, so not kept either.
  if (arguments.empty())
    std::filesystem::remove(file);
  return 0;
}
