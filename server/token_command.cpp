#include "server/token_command.hpp"

#include "identity/api_keys.hpp"
#include "identity/key_ring.hpp"
#include "identity/private_key.hpp"
#include "identity/token_verifier.hpp"
#include "tidings/clock.hpp"
#include "tidings/mailbox.hpp"
#include "tidings/text_file.hpp"
#include "tidings/units.hpp"

#include <iostream>
#include <iterator>

namespace tidings {

namespace {

constexpr int exit_refused = 1;
constexpr int exit_usage = 2;

/// A key that can be guessed is found by its hash.
constexpr size_t api_key_bytes_min = 32;

int complain(const std::string& why, int status = exit_usage) {
  std::cerr << "tidings: " << why << '\n';
  return status;
}

/// What stands in front of the end of the first line of the standard input.
std::string read_line() {
  std::string line;
  std::getline(std::cin, line);
  if (line.ends_with('\r'))
    line.pop_back();
  return line;
}

std::string list_of(const topic_rights& x) {
  std::string list;
  for (auto& pattern : x.patterns())
    list.append(list.empty() ? "" : ", ").append(pattern.text());
  return list.empty() ? "nothing" : list;
}

void show(const char* name, const std::string& value) {
  std::string line{name};
  line.resize(13, ' ');
  std::cout << line << value << '\n';
}

} // namespace

token_command::token_command(CLI::App& under)
  : make_(under.add_subcommand("make", "Make a token, with a private key")),
    check_(under.add_subcommand("check", "Say who a token is, or why it is refused")),
    hash_(under.add_subcommand("hash", "Read an API key from the standard input and print what the "
                                       "configuration needs of it")) {
  under.require_subcommand(1);
  make_->add_option("--key-file", key_file_, "PEM private key, or the secret of HS256")->required();
  make_->add_option("--algorithm", algorithm_, "HS256, RS256, ES256 or EdDSA")->required();
  make_->add_option("--key-id", key_id_, "kid: the id of the key in the configuration");
  make_->add_option("--issuer", issuer_, "iss: who makes the token");
  make_->add_option("--audience", audience_, "aud: the auth.audience of the broker");
  make_->add_option("--user", user_, "sub: the user; without it only the rights count");
  make_->add_option("--publish", publish_, "patterns, with commas between them")->delimiter(',');
  make_->add_option("--subscribe", subscribe_, "patterns, with commas between them")
    ->delimiter(',');
  make_->add_flag("--admin", admin_, "may operate the broker");
  make_->add_option("--ttl", ttl_, "how long it is good, such as 10m; default: 1h");
  check_->add_option("token", token_, "the token; - or nothing: from the standard input");
}

int token_command::run(const std::function<config_sources()>& sources) const {
  if (*make_)
    return make();
  return *check_ ? check(sources()) : hash();
}

int token_command::make() const {
  auto algorithm = parse_token_algorithm(algorithm_);
  if (!algorithm)
    return complain("--algorithm must be HS256, RS256, ES256 or EdDSA");
  auto ttl = parse_duration(ttl_);
  if (!ttl || ttl->count() < 1000)
    return complain("--ttl must be a duration of at least a second, such as 10m or 1h");
  auto content = read_text_file(key_file_);
  if (!content)
    return complain(key_file_ + ' ' + content.error().detail);
  auto key = private_key::parse(*content, *algorithm);
  if (!key)
    return complain(key_file_ + ' ' + key.error().detail);
  token_claims claims;
  if (!user_.empty())
    if (auto why = validate_user(user_))
      return complain("--user: " + why->detail);
  auto publish = topic_rights::parse(publish_);
  if (!publish)
    return complain("--publish: " + publish.error().detail);
  auto subscribe = topic_rights::parse(subscribe_);
  if (!subscribe)
    return complain("--subscribe: " + subscribe.error().detail);
  auto now_s = system_clock_source().wall_ms() / 1000;
  claims.issuer = issuer_;
  claims.user = user_;
  if (!audience_.empty())
    claims.audience = {audience_};
  claims.issued_at_ms = now_s * 1000;
  claims.expires_at_ms = (now_s + ttl->count() / 1000) * 1000;
  claims.id = random_token_id();
  claims.publish = *std::move(publish);
  claims.subscribe = *std::move(subscribe);
  claims.admin = admin_;
  auto token = key->make_token(claims, key_id_);
  if (!token)
    return complain(token.error().detail, exit_refused);
  if (token->size() > token_bytes_max)
    return complain("the token has more than 8 KiB and would be refused: grant fewer patterns");
  std::cout << *token << '\n';
  return 0;
}

int token_command::check(const config_sources& from) const {
  auto cfg = load_config(from);
  if (!cfg)
    return complain(cfg.error().detail);
  auto keys = key_ring::load(cfg->auth.keys);
  if (!keys)
    return complain(keys.error().detail);
  token_verifier verifier{*std::move(keys), token_rules_of(cfg->auth)};
  auto token = token_ == "-" ? read_line() : token_;
  auto now_ms = system_clock_source().wall_ms();
  auto who = verifier.verify(token, caller::way::token, now_ms);
  if (!who)
    return complain("the token is refused: " + who.error().detail, exit_refused);
  show("user:", who->user.empty() ? "none" : who->user);
  show("publish:", list_of(who->publish));
  show("subscribe:", list_of(who->subscribe) + (who->user.empty() ? "" : ", and the user's own"));
  show("admin:", who->admin ? "yes" : "no");
  show("until:", format_rfc3339(who->expires_at_ms) + ", leeway included");
  show("issued:", who->issued_at_ms == 0 ? "unknown" : format_rfc3339(who->issued_at_ms));
  show("token id:", who->token_id.empty() ? "none" : who->token_id);
  show("key:", who->key_name);
  return 0;
}

int token_command::hash() const {
  auto key = read_line();
  if (key.size() < api_key_bytes_min || key.size() > api_key_bytes_max)
    return complain("an API key has 32 to 512 bytes that nobody can guess: `openssl rand -hex 32` "
                    "makes one");
  auto hash = api_key_hash(key);
  std::cout << hash << "\n\n"
            << "[[auth.api-key]]\n"
               "name = \"\"                # who has the key\n"
               "sha256 = \""
            << hash
            << "\"\n"
               "publish = []             # for instance [\"order:*\"]\n"
               "subscribe = []\n"
               "admin = false\n";
  return 0;
}

} // namespace tidings
