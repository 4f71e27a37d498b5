// How fast the store is by itself: group commit, scans, index walks, keys and starts.
//
//   bench-storage [DIRECTORY] [EVENTS] [GROUP] [PART]
//
// PART is append, read, retention or start; or mailbox: then EVENTS is the number of users, each of
// whom gets 20 items. Uses a new directory below DIRECTORY (the system's temporary one) and removes
// it.

#include "storage/rocksdb_event_store.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

using namespace tidings;

namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point x) {
  return std::chrono::duration<double>(steady::now() - x).count();
}

double cpu_seconds() {
  rusage x{};
  getrusage(RUSAGE_SELF, &x);
  auto sum = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return sum(x.ru_utime) + sum(x.ru_stime);
}

struct counter : record_visitor {
  size_t records = 0;
  size_t bytes = 0;

  bool on_record(const record_view& x) override {
    ++records;
    bytes += x.data.size();
    return true;
  }

  void on_missing(const missing_record&) override {
    // nop
  }
};

[[noreturn]] void fail(const failure& x) {
  std::fprintf(stderr, "%s\n", x.detail.c_str());
  std::exit(1);
}

/// Text that compresses about as JSON does.
std::string make_data(uint64_t i) {
  auto text = "{\"order\":" + std::to_string(i * 2654435761u)
              + ",\"state\":\"paid\",\"customer\":\"c-" + std::to_string(i * 40503u % 1000003)
              + "\",\"note\":\"";
  while (text.size() < 198)
    text.push_back(static_cast<char>('a' + (i * 31 + text.size() * text.size() * 7) % 26));
  return text + "\"}";
}

void report(const char* what, double count, double seconds, double cpu) {
  std::printf("%-44s %12.0f /s  %8.2f s  cpu %6.2f s\n", what, count / seconds, seconds, cpu);
  std::fflush(stdout);
}

/// How long single calls took.
class latencies {
public:
  template <class F>
  void measure(F f) {
    auto begin = steady::now();
    f();
    us_.push_back(1e6 * seconds_since(begin));
  }

  void report(const char* what) {
    std::sort(us_.begin(), us_.end());
    auto at = [&](double part) { return us_[static_cast<size_t>(part * (us_.size() - 1))]; };
    std::printf("%-44s p50 %8.1f us  p99 %8.1f us  max %8.1f us\n", what, at(0.5), at(0.99),
                us_.back());
    std::fflush(stdout);
  }

private:
  std::vector<double> us_;
};

class bench {
public:
  bench(const std::string& parent, uint64_t events, size_t group)
    : directory_(fs::path{parent} / "tidings-bench"), events_(events), group_(group) {
    fs::remove_all(directory_);
    settings_.directory = directory_.string();
    settings_.reserve = 0;
    if (auto mb = std::getenv("WB"))
      settings_.write_buffer_bytes = std::strtoull(mb, nullptr, 10) << 20;
    open();
  }

  ~bench() {
    store_.reset();
    fs::remove_all(directory_);
  }

  void append(const char* name, bool sync, bool keys, uint64_t retention) {
    std::vector<log_entry> entries(group_);
    auto begin = steady::now();
    auto cpu = cpu_seconds();
    double inside = 0;
    uint64_t done = 0;
    for (; done < events_; done += group_) {
      for (size_t i = 0; i < group_; ++i) {
        auto& x = entries[i];
        auto n = next_ + i;
        x.content.content.topics = {"order:" + std::to_string(n % 1000)};
        x.content.content.type = "paid";
        x.content.content.data = data_[n % data_.size()];
        x.key = keys ? "app:" + std::to_string(n) : std::string{};
        x.retention.clear();
        if (retention != 0)
          x.retention = {{retention, 0}};
      }
      next_ += group_;
      auto call = steady::now();
      if (auto failed = store_->append(entries, sync))
        fail(*failed);
      inside += seconds_since(call);
    }
    report(name, static_cast<double>(done), inside, cpu_seconds() - cpu);
    (void)begin;
  }

  void scan(const char* name, const subscription& who, bool reverse = false) {
    counter to;
    read_request what;
    what.who = &who;
    what.now_ms = system_clock_source().wall_ms();
    what.reverse = reverse;
    what.until = store_->last();
    auto begin = steady::now();
    auto cpu = cpu_seconds();
    for (;;) {
      auto outcome = store_->read(what, to);
      if (!outcome)
        fail(outcome.error());
      if (outcome->end_reached)
        break;
      if (reverse)
        what.until = lsn{to_integer(outcome->covered) - 1};
      else
        what.after = outcome->covered;
    }
    auto seconds = seconds_since(begin);
    report(name, static_cast<double>(to.records), seconds, cpu_seconds() - cpu);
  }

  void tail_reads() {
    auto who = subscription{{*topic_pattern::parse("order:1")}};
    constexpr int calls = 100'000;
    counter to;
    auto begin = steady::now();
    auto cpu = cpu_seconds();
    for (int i = 0; i < calls; ++i) {
      read_request what;
      what.who = &who;
      what.after = lsn{to_integer(store_->last()) - 20};
      if (!store_->read(what, to))
        std::exit(1);
    }
    report("read of the last 20 positions, calls", calls, seconds_since(begin),
           cpu_seconds() - cpu);
  }

  void keys() {
    constexpr int calls = 200'000;
    auto begin = steady::now();
    auto cpu = cpu_seconds();
    for (int i = 0; i < calls; ++i)
      if (!store_->find_key("none:" + std::to_string(i), 0))
        std::exit(1);
    report("find_key of unknown keys", calls, seconds_since(begin), cpu_seconds() - cpu);
  }

  void listing() {
    auto begin = steady::now();
    auto cpu = cpu_seconds();
    auto xs = store_->topics("", "", 1000, 0);
    if (!xs)
      fail(xs.error());
    report("topics listed", static_cast<double>(xs->size()), seconds_since(begin),
           cpu_seconds() - cpu);
  }

  /// Items for each user, in turns and in an order that the index does not have, each to as many
  /// users as an event may name, and some for everyone, so that a page of 50 is full.
  void fill_mailboxes(uint64_t users) {
    constexpr uint64_t items = 20;
    constexpr uint64_t together = 16;
    constexpr uint64_t for_everyone = 40;
    users_ = users;
    std::vector<log_entry> entries(group_);
    auto begin = steady::now();
    auto cpu = cpu_seconds();
    for (uint64_t done = 0; done < users * items;) {
      for (auto& x : entries) {
        std::vector<std::string> topics;
        for (uint64_t i = 0; i < together; ++i)
          topics.push_back(user_topic(user(done++)));
        set_item(x, std::move(topics));
      }
      write(entries);
    }
    entries.resize(for_everyone);
    for (auto& x : entries)
      set_item(x, {std::string{everyone_topic}});
    write(entries);
    report("entries of mailboxes appended, written", static_cast<double>(users * items),
           seconds_since(begin), cpu_seconds() - cpu);
  }

  void read_mailboxes(const char* when) {
    constexpr int calls = 20'000;
    constexpr size_t page = 50;
    auto now = system_clock_source().wall_ms();
    latencies list;
    latencies records;
    latencies everything;
    counter to;
    for (uint64_t i = 0; i < calls; ++i) {
      auto who = user(i * 40503 + 7);
      result<std::vector<mailbox_entry>> found{failure{}};
      list.measure([&] { found = store_->mailbox(who, page, now); });
      if (!found)
        fail(found.error());
      std::vector<lsn> positions;
      for (auto& x : *found)
        positions.push_back(x.item);
      records.measure([&] {
        if (auto failed = store_->read_records(positions, now, to))
          fail(*failed);
      });
      if (i % 4 == 0)
        everything.measure([&] { found = store_->mailbox(who, 10'000, now); });
    }
    std::printf("%s: %.1f records each\n", when, static_cast<double>(to.records) / calls);
    list.report("mailbox(), the newest 50");
    records.report("read_records() of these");
    everything.report("mailbox(), all again");
  }

  void change_mailboxes() {
    constexpr int calls = 20'000;
    auto now = system_clock_source().wall_ms();
    latencies write_one;
    for (uint64_t i = 0; i < calls; ++i) {
      auto who = user(i * 7919 + 3);
      auto found = store_->mailbox(who, 1, now);
      if (!found || found->empty())
        std::exit(1);
      log_entry x;
      x.content.content.topics = {mailbox_topic(who)};
      x.content.content.type = mailbox_event;
      x.changes = {{who, found->front()}};
      x.changes[0].entry.state = item_state::read;
      x.changes[0].entry.changed_ms = now;
      write_one.measure([&] {
        if (auto failed = store_->append({&x, 1}, false))
          fail(*failed);
      });
    }
    write_one.report("change of one item, written");
  }

  void restart(const char* name, bool kill) {
    auto image = directory_;
    image += "-image";
    if (kill) { // the directory as a killed process leaves it
      std::this_thread::sleep_for(std::chrono::seconds{3}); // files that go while they are copied
      fs::copy(directory_, image, fs::copy_options::recursive);
      store_.reset();
      fs::remove_all(directory_);
      fs::rename(image, directory_);
    } else {
      store_.reset();
    }
    auto begin = steady::now();
    auto cpu = cpu_seconds();
    open();
    report(name, 1, seconds_since(begin), cpu_seconds() - cpu);
  }

  void statistics() {
    auto x = store_->statistics();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("  last %llu, disk %.1f MiB, store memory %.1f MiB, peak resident %.1f MiB\n",
                static_cast<unsigned long long>(to_integer(x.last)),
                static_cast<double>(x.disk_bytes) / 1048576,
                static_cast<double>(x.memory_bytes) / 1048576,
                static_cast<double>(usage.ru_maxrss) / 1024);
  }

private:
  std::string user(uint64_t i) const {
    constexpr uint64_t odd = 2'654'435'761; // spreads neighbours over the index
    return "u-" + std::to_string(i % users_ * odd % 10'000'000'019);
  }

  void set_item(log_entry& x, std::vector<std::string> topics) {
    auto& content = x.content.content;
    content.topics = std::move(topics);
    content.type = "note";
    content.data = data_[next_++ % data_.size()].substr(0, 80);
    content.expires_at_ms = system_clock_source().wall_ms() + 30LL * 24 * 60 * 60 * 1000;
    content.mail = mail_;
  }

  void write(std::vector<log_entry>& entries) {
    if (auto failed = store_->append(entries, false))
      fail(*failed);
  }

  void open() {
    auto x = storage::rocksdb_event_store::open(settings_, {}, system_clock_source());
    if (!x)
      fail(x.error());
    store_ = std::move(*x);
    if (data_.empty())
      for (uint64_t i = 0; i < 4096; ++i)
        data_.push_back(make_data(i));
  }

  fs::path directory_;
  uint64_t events_;
  size_t group_;
  uint64_t next_ = 0;
  uint64_t users_ = 1;
  std::shared_ptr<const mail> mail_ = std::make_shared<mail>(
    mail{"Order shipped", "Your order is on its way to you.", priority::normal});
  storage_config settings_;
  std::unique_ptr<storage::rocksdb_event_store> store_;
  std::vector<std::string> data_;
};

} // namespace

int main(int argc, char** argv) {
  auto parent = argc > 1 ? std::string{argv[1]} : fs::temp_directory_path().string();
  auto events = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2'000'000;
  auto group = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 512;
  auto only = argc > 4 ? std::string{argv[4]} : "all";
  auto wanted = [&](const char* part) { return only == "all" || only == part; };
  bench x{parent, events, group};
  if (only == "mailbox") {
    x.fill_mailboxes(events);
    x.statistics();
    x.read_mailboxes("at once");
    x.change_mailboxes();
    x.restart("start after a clean stop", false);
    x.read_mailboxes("after the start");
    x.statistics();
    return 0;
  }
  x.append("append, synced", true, false, 0);
  if (wanted("append")) {
    x.append("append, written", false, false, 0);
    x.append("append, synced, with keys", true, true, 0);
    x.statistics();
  }
  if (wanted("read")) {
    x.scan("scan of everything", {});
    x.scan("scan of everything, again", {});
    x.scan("scan of everything, backwards", {}, true);
    x.scan("scan for order:*", subscription{{*topic_pattern::parse("order:*")}});
    x.scan("topic index, 1 of 1000 topics", subscription{{*topic_pattern::parse("order:7")}});
    std::vector<topic_pattern> hundred;
    for (int i = 0; i < 100; ++i)
      hundred.push_back(*topic_pattern::parse("order:" + std::to_string(i)));
    x.scan("topic index, 100 of 1000 topics", subscription{hundred});
    x.tail_reads();
    x.keys();
    x.listing();
  }
  if (wanted("retention")) {
    x.append("append, synced, 50 kept of each, at first", true, false, 50);
    x.append("append, synced, 50 kept of each, then", true, false, 50);
  }
  if (wanted("start")) {
    x.restart("start after a clean stop", false);
    x.append("append, written", false, false, 0);
    x.restart("start after a kill", true);
  }
  x.statistics();
}
