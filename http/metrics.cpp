#include "http/metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <fstream>
#include <unistd.h>

namespace tidings::http {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class families {
public:
  void counter(const char* name, const char* help, uint64_t x,
               std::vector<ClientMetric::Label> labels = {}) {
    auto& metric = add(name, help, MetricType::Counter, std::move(labels));
    metric.counter.value = static_cast<double>(x);
  }

  void gauge(const char* name, const char* help, double x,
             std::vector<ClientMetric::Label> labels = {}) {
    auto& metric = add(name, help, MetricType::Gauge, std::move(labels));
    metric.gauge.value = x;
  }

  std::string text() const {
    return prometheus::TextSerializer{}.Serialize(all_);
  }

private:
  ClientMetric& add(const char* name, const char* help, MetricType type,
                    std::vector<ClientMetric::Label> labels) {
    if (all_.empty() || all_.back().name != name)
      all_.push_back({name, help, type, {}});
    auto& metric = all_.back().metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }

  std::vector<MetricFamily> all_;
};

void add_cluster(families& f, const cluster_view& x) {
  f.gauge("tidings_cluster_joined", "Whether this node takes publishes",
          x.replication.joined ? 1 : 0);
  f.gauge("tidings_cluster_quorum", "Whether this node is linked with a majority",
          x.replication.majority_linked ? 1 : 0);
  f.gauge("tidings_cluster_members", "Configured members", static_cast<double>(x.members.size()));
  f.gauge("tidings_cluster_waiting_publishes", "Publishes that wait for a majority",
          static_cast<double>(x.waiting_publishes));
  f.counter("tidings_cluster_links_up_total", "Links that came about", x.links_up);
  f.counter("tidings_cluster_links_down_total", "Links that were lost", x.links_down);
  for (auto& member : x.members)
    if (!member.is_self)
      f.gauge("tidings_cluster_linked", "Whether a member is linked", member.linked ? 1 : 0,
              {{"member", member.name}});
  auto of_peers = [&](const char* name, const char* help, auto number, bool counts) {
    for (auto& member : x.members)
      for (auto& peer : x.replication.peers)
        if (member.node != 0 && peer.node == member.node && member.linked) {
          if (counts)
            f.counter(name, help, number(peer), {{"member", member.name}});
          else
            f.gauge(name, help, static_cast<double>(number(peer)), {{"member", member.name}});
        }
  };
  of_peers(
    "tidings_cluster_lag_records", "Records that a member does not have yet",
    [](auto& peer) { return peer.lag; }, false);
  of_peers(
    "tidings_cluster_sent_bytes_total", "Records sent over the present link",
    [](auto& peer) { return peer.bytes_sent; }, true);
  of_peers(
    "tidings_cluster_received_bytes_total", "Records received over the present link",
    [](auto& peer) { return peer.bytes_received; }, true);
  for (auto& alarm : x.alarms)
    f.counter("tidings_cluster_alarms_total", "What an operator has to look at", alarm.count,
              {{"kind", alarm.kind}});
}

uint64_t resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  uint64_t total = 0;
  uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

std::string render_metrics(const statistics& stats, const store_statistics& store,
                           const cluster_board* cluster, const std::string& version) {
  families f;
  f.gauge("tidings_build_info", "What runs", 1, {{"version", version}});
  f.gauge("tidings_connections_open", "Sockets of clients",
          static_cast<double>(value(stats.connections_open)));
  f.counter("tidings_connections_total", "Sockets accepted", value(stats.connections_total));
  f.counter("tidings_connections_refused_total", "Sockets closed because there were too many",
            value(stats.connections_refused));
  f.gauge("tidings_streams_open", "Streams", static_cast<double>(value(stats.streams_open)));
  f.counter("tidings_streams_total", "Streams opened", value(stats.streams_total));
  auto ended = "tidings_streams_ended_total";
  auto ended_help = "Streams ended, by reason";
  f.counter(ended, ended_help, value(stats.streams_ended_client), {{"reason", "client_gone"}});
  f.counter(ended, ended_help, value(stats.streams_ended_shutdown), {{"reason", "shutdown"}});
  f.counter(ended, ended_help, value(stats.streams_ended_max_age), {{"reason", "max_age"}});
  f.counter(ended, ended_help, value(stats.streams_ended_closed), {{"reason", "closed"}});
  f.counter(ended, ended_help, value(stats.streams_ended_slow_reader), {{"reason", "slow_reader"}});
  f.counter(ended, ended_help, value(stats.streams_ended_rights), {{"reason", "rights"}});
  f.counter(ended, ended_help, value(stats.streams_ended_replaced), {{"reason", "replaced"}});
  f.counter(ended, ended_help, value(stats.streams_ended_storage), {{"reason", "storage_failed"}});
  f.counter("tidings_published_total", "Events accepted", value(stats.published));
  f.counter("tidings_published_duplicates_total", "Publishes answered with an earlier result",
            value(stats.duplicates));
  f.counter("tidings_published_refused_total", "Events refused", value(stats.refused));
  f.gauge("tidings_transfer_bytes_held", "Bytes that connections hold of what is under way",
          static_cast<double>(value(stats.body_bytes)), {{"of", "requests"}});
  f.gauge("tidings_transfer_bytes_held", "Bytes that connections hold of what is under way",
          static_cast<double>(value(stats.answer_bytes)), {{"of", "answers"}});
  f.gauge("tidings_publish_bytes_in_flight", "Bytes accepted and not yet answered",
          static_cast<double>(value(stats.publish_bytes)));
  f.counter("tidings_delivered_total", "Events written to streams", value(stats.delivered));
  f.counter("tidings_replayed_total", "The part of it that was read from the log",
            value(stats.replayed));
  f.counter("tidings_dropped_total", "Events not sent because of an overflow policy",
            value(stats.dropped));
  f.counter("tidings_gaps_total", "Gap notices sent", value(stats.gaps));
  f.counter("tidings_resumes_total", "Streams that resumed from an id", value(stats.resumes));
  f.counter("tidings_resumes_incomplete_total", "Resumes with something missing",
            value(stats.resumes_unknown));
  f.counter("tidings_commits_total", "Groups written to the log", value(stats.commits));
  f.counter("tidings_commits_synced_total", "Groups that were flushed to disk",
            value(stats.synced_commits));
  f.counter("tidings_commit_microseconds_total", "Time spent in writing groups",
            value(stats.commit_microseconds));
  f.gauge("tidings_topic_actors", "Topics in memory",
          static_cast<double>(value(stats.topic_actors)));
  f.gauge("tidings_subscribed_topics", "Distinct topics and patterns of open streams",
          static_cast<double>(value(stats.subscribed_topics)));
  f.counter("tidings_requests_total", "HTTP requests", value(stats.requests));
  f.counter("tidings_requests_refused_total", "HTTP requests refused before a handler saw them",
            value(stats.requests_refused));
  f.counter("tidings_reloads_total", "Configurations taken over on SIGHUP", value(stats.reloads));
  f.counter("tidings_reloads_failed_total", "Configurations refused on SIGHUP",
            value(stats.reloads_failed));
  f.gauge("tidings_store_bytes", "Bytes on disk", static_cast<double>(store.disk_bytes));
  f.gauge("tidings_store_free_bytes", "Bytes free on the file system",
          static_cast<double>(store.free_bytes));
  f.gauge("tidings_store_memory_bytes", "Memory of the store",
          static_cast<double>(store.memory_bytes));
  f.gauge("tidings_store_clock_ahead",
          "Whether nothing is deleted for its age because the clock looks too far ahead",
          store.clock_is_ahead ? 1 : 0);
  f.gauge("tidings_store_last_position", "Position of the newest record",
          static_cast<double>(to_integer(store.last)));
  if (cluster)
    add_cluster(f, cluster->get());
  f.gauge("process_resident_memory_bytes", "Resident memory",
          static_cast<double>(resident_bytes()));
  return f.text();
}

} // namespace tidings::http
