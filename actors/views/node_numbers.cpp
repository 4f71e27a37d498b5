#include "actors/views/node_numbers.hpp"

namespace tidings {

node_numbers read_numbers(const statistics& x, const store_statistics& store) {
  node_numbers y;
  y.counts = {{"connected_clients", value(x.streams_open)},
              {"active_topics", value(x.subscribed_topics)},
              {"dropped_messages", value(x.dropped)},
              {"connections", value(x.connections_open)},
              {"published", value(x.published)},
              {"duplicates", value(x.duplicates)},
              {"refused", value(x.refused)},
              {"delivered", value(x.delivered)},
              {"replayed", value(x.replayed)},
              {"gaps", value(x.gaps)},
              {"resumes", value(x.resumes)},
              {"commits", value(x.commits)},
              {"topics_in_memory", value(x.topic_actors)}};
  y.sizes = {{"last_position", to_integer(store.last)},
             {"store_bytes", store.disk_bytes},
             {"free_bytes", store.free_bytes}};
  return y;
}

} // namespace tidings
