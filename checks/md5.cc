// MD5 through libcrypto's EVP interface. One caller per object.
#include "checks/md5.h"

#include <openssl/evp.h>

#include "dataplane/net/hex.h"

namespace keepline::checks {

using net::hex_digit;

struct Md5::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  bool usable = context != nullptr && EVP_DigestInit_ex(context, EVP_md5(), nullptr) == 1;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

std::optional<Md5Digest> parse_md5(std::string_view hex) {
  Md5Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return digest;
}

std::string to_string(const Md5Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Md5::Md5() : state_(std::make_unique<State>()) {}
Md5::~Md5() = default;

void Md5::update(std::string_view bytes) {
  if (!state_->usable) return;
  state_->usable = EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1;
}

std::optional<Md5Digest> Md5::finish() {
  Md5Digest digest{};
  if (!state_->usable) return std::nullopt;
  state_->usable = false;
  if (EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) != 1) return std::nullopt;
  return digest;
}

}  // namespace keepline::checks
