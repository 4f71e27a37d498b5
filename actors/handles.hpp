#pragma once

#include "actors/cluster/replication.hpp"
#include "actors/messages.hpp"
#include "actors/views/view.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

// The grammar of the actors: who understands what.

namespace tidings {

/// Takes publishes for other members.
using forwarder = caf::typed_actor<caf::reacts_to<caf::forward_atom, publish_ptr>>;

/// Routes publishes to the actors of their topics; knows who listens to what.
using distributor_actor = caf::typed_actor<
  // Goes on to the next topic on its route, or to storage after the last.
  caf::reacts_to<publish_ptr>,
  // A stream opened, or ended.
  caf::reacts_to<caf::subscribe_atom, subscription_ptr>,
  caf::reacts_to<caf::unsubscribe_atom, subscription_ptr>,
  // New settings for topics that appear from now on, and for those that are there.
  caf::reacts_to<config_ptr>,
  // Who passes on what another member has to take.
  caf::reacts_to<forwarder>,
  // Internal: lets idle topics go.
  caf::reacts_to<caf::tick_atom>>;

/// Applies one topic's policy to what is published to it.
using topic_actor = caf::typed_actor<
  // Decides about the items of the current hop, then passes the request on.
  caf::reacts_to<publish_ptr>, caf::reacts_to<config_ptr>,
  // Leave. The distributor sends nothing after it.
  caf::reacts_to<caf::close_atom>>;

/// What the storage actor needs of the one that exchanges records with the other nodes.
using commit_listener = caf::typed_actor<
  // A commit, or a sync, has put something on disk.
  caf::reacts_to<commit_report_ptr>,
  // On this node's disk; to be given back when it is on those of a majority, or is not in time.
  caf::reacts_to<publish_ptr>,
  // Some of it is not stored: for the streams of the other nodes.
  caf::reacts_to<deliver_atom, batch_ptr>>;

/// Changes the list of members, and brings this node to rest.
using cluster_keeper =
  caf::typed_actor<caf::replies_to<change_order_ptr>::with<cluster::change_outcome>,
                   // Take no new work, or take it again; answers, when all is done, who does not
                   // have everything.
                   caf::replies_to<drain_atom, bool>::with<std::vector<std::string>>>;

/// The only writer of the log.
using storage_actor = caf::typed_actor<
  // Joins the group that is committed next.
  caf::reacts_to<publish_ptr>,
  // Internal: everything gathered so far becomes one write batch.
  caf::reacts_to<commit_atom>,
  // Internal, about once a second: makes durable what was only written, and notes how far that is.
  caf::reacts_to<caf::tick_atom>,
  // Internal: makes durable what was only written, for other nodes wait for it.
  caf::reacts_to<caf::flush_atom>,
  // The same as the first, but the answer comes to the sender, when it is stored.
  caf::replies_to<caf::put_atom, publish_ptr>::with<publish_ptr>,
  // Records of other nodes join it too.
  caf::reacts_to<replica_work_ptr>,
  // Events of other nodes that are not stored.
  caf::reacts_to<delivery_ptr>,
  // A publish whose level has been decided elsewhere: answers it.
  caf::reacts_to<settled_atom, publish_ptr>,
  // Whom to tell of commits.
  caf::reacts_to<commit_listener>,
  // New settings, for the retention of what other nodes have accepted.
  caf::reacts_to<config_ptr>,
  // Commits and syncs everything received before; the answer says that it is on disk.
  caf::replies_to<sync_atom>::with<bool>>;

/// Reads the log for streams and pages.
using reader_actor = caf::typed_actor<caf::replies_to<replay_request>::with<replay_chunk_ptr>,
                                      caf::replies_to<page_request>::with<page>,
                                      caf::replies_to<topics_request>::with<topic_summaries>,
                                      caf::replies_to<mailbox_query>::with<mailbox_page>,
                                      caf::replies_to<mailbox_lookup>::with<mailbox_listing_ptr>>;

/// Changes one user's mailbox, one change after the other.
using mailbox_actor =
  caf::typed_actor<caf::replies_to<mailbox_order_ptr>::with<mailbox_outcome>,
                   caf::reacts_to<config_ptr>,
                   // Say to the mailroom, if there is nothing to do, that this one may leave.
                   caf::reacts_to<idle_atom>,
                   // Leave. The mailroom sends nothing after it.
                   caf::reacts_to<caf::close_atom>>;

/// Knows the mailboxes that have an actor, starts and dismisses them.
using mailroom_actor =
  caf::typed_actor<caf::replies_to<mailbox_order_ptr>::with<mailbox_outcome>,
                   // A user's mailbox has nothing to do, after so many orders.
                   caf::reacts_to<idle_atom, std::string, uint64_t>,
                   // Internal: asks those that nobody used for a while whether they may leave.
                   caf::reacts_to<caf::tick_atom>, caf::reacts_to<config_ptr>>;

struct shard_peers;
using shard_peers_ptr = std::shared_ptr<const shard_peers>;

/// Delivers committed batches to the streams of one I/O thread, and answers its publishers.
using shard_actor =
  caf::typed_actor<caf::reacts_to<commit_notice>,
                   // Whom to talk to; before anything else.
                   caf::reacts_to<shard_peers_ptr>,
                   // Open streams of this shard.
                   caf::replies_to<connection_query>::with<connection_page>,
                   // Ends one of them; false: it is not here.
                   caf::replies_to<caf::close_atom, uint64_t, end_reason>::with<bool>,
                   // Ends all of them, and those that come, for a shutdown or a drain; answers how
                   // many. False: takes streams again.
                   caf::replies_to<drain_atom, bool>::with<uint64_t>,
                   // Ends the streams of those who may not stay.
                   caf::reacts_to<caller_judge>, caf::reacts_to<config_ptr>>;

/// Puts questions to the other members.
using inquirer = caf::typed_actor<caf::replies_to<member_question>::with<member_answer>>;

/// Says what is open and what was counted, on this node and on the other members.
using views_actor =
  caf::typed_actor<caf::replies_to<view_request>::with<view_parts>,
                   // A question of another member, and the answer to it, as they travel.
                   caf::replies_to<list_atom, std::string>::with<std::string>,
                   // Whom to ask for the other members; none: there are no others.
                   caf::reacts_to<inquirer>>;

/// Owns one stream: its life and the reason of its end.
using connection_actor = caf::typed_actor<caf::reacts_to<caf::close_atom, end_reason>>;

} // namespace tidings

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tidings::shard_peers_ptr)
