#pragma once

#include "support/scratch_file.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace tidings {

/// A certificate and its key, in files that go away with the object.
struct test_certificate {
  scratch_file certificate;
  scratch_file key;
};

/// Issues certificates that are good for a test. The keys are made at run time.
class test_authority {
public:
  test_authority() : key_(make_key()) {
    certificate_ = make(key_.get(), "authority", {}, true);
    file_ = std::make_unique<scratch_file>(pem(certificate_.get()), ".pem");
  }

  /// File of the authority's own certificate.
  const std::string& path() const noexcept {
    return file_->path();
  }

  /// @param names DNS names, separated by commas as in `one,two`; empty: none
  /// @param common_name of the subject, which nobody should look at
  test_certificate issue(const std::string& names, const std::string& common_name = "node") const {
    auto key = make_key();
    auto x = make(key.get(), common_name, names, false);
    return {scratch_file{pem(x.get()), ".pem"}, scratch_file{pem(key.get()), ".pem"}};
  }

private:
  struct deleter {
    void operator()(X509* x) const noexcept {
      X509_free(x);
    }

    void operator()(EVP_PKEY* x) const noexcept {
      EVP_PKEY_free(x);
    }

    void operator()(BIO* x) const noexcept {
      BIO_free(x);
    }

    void operator()(X509_EXTENSION* x) const noexcept {
      X509_EXTENSION_free(x);
    }
  };

  using key_ptr = std::unique_ptr<EVP_PKEY, deleter>;
  using certificate_ptr = std::unique_ptr<X509, deleter>;

  static key_ptr make_key() {
    key_ptr x{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
    if (!x)
      throw std::logic_error{"no key was made"};
    return x;
  }

  static void extend(X509* x, int what, const std::string& value) {
    std::unique_ptr<X509_EXTENSION, deleter> extension{
      X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str())};
    if (!extension || X509_add_ext(x, extension.get(), -1) != 1)
      throw std::logic_error{"no such extension: " + value};
  }

  certificate_ptr make(EVP_PKEY* key, const std::string& common_name, const std::string& names,
                       bool is_authority) const {
    certificate_ptr x{X509_new()};
    static int serial = 0;
    X509_set_version(x.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x.get()), 3600);
    X509_set_pubkey(x.get(), key);
    auto subject = X509_get_subject_name(x.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(x.get(),
                         is_authority ? subject : X509_get_subject_name(certificate_.get()));
    extend(x.get(), NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    std::string list;
    for (size_t at = 0; at < names.size();) {
      auto end = std::min(names.find(',', at), names.size());
      list += (list.empty() ? "DNS:" : ",DNS:") + names.substr(at, end - at);
      at = end + 1;
    }
    if (!list.empty())
      extend(x.get(), NID_subject_alt_name, list);
    if (X509_sign(x.get(), key_.get(), EVP_sha256()) == 0)
      throw std::logic_error{"not signed"};
    return x;
  }

  template <class T>
  static std::string pem(T* x) {
    std::unique_ptr<BIO, deleter> out{BIO_new(BIO_s_mem())};
    if constexpr (std::is_same_v<T, X509>)
      PEM_write_bio_X509(out.get(), x);
    else
      PEM_write_bio_PrivateKey(out.get(), x, nullptr, nullptr, 0, nullptr, nullptr);
    char* bytes = nullptr;
    auto length = BIO_get_mem_data(out.get(), &bytes);
    return {bytes, static_cast<size_t>(length)};
  }

  key_ptr key_;
  certificate_ptr certificate_;
  std::unique_ptr<scratch_file> file_;
};

} // namespace tidings
