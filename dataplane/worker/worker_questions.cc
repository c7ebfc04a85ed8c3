// What control asks of a worker: pages of its connections, and explanations.
#include "dataplane/worker/worker.h"

namespace keepline::worker {

namespace {

constexpr std::size_t kListedPerPage = 256;
constexpr std::size_t kLookedAtPerPage = 4096;  // positions of the table

}  // namespace

bool Worker::explain(const lb::Snapshot* snapshot) {
  if (mailbox_->questions.read_available() == 0 || snapshot == nullptr ||
      mailbox_->explanations.write_available() == 0) {
    return false;
  }
  const ExplainRequest& request = mailbox_->questions.front();
  const lb::LeaseView leases(leases_, ticks_.now(), resumed_, gap_);
  mailbox_->explanations.push(
      {request.number, pipeline_.explain(*snapshot, leases, request.source, request.destination,
                                         request.protocol, now_s_)});
  mailbox_->questions.pop();
  doorbell_.ring();
  return true;
}

bool Worker::list_connections() {
  // A page is only begun when all of it fits: nobody has to remember a half.
  if (mailbox_->listings.read_available() == 0 ||
      mailbox_->connections.write_available() <= kListedPerPage) {
    return false;
  }
  list_page(mailbox_->listings.front());
  mailbox_->listings.pop();
  doorbell_.ring();
  return true;
}

namespace {

// Lists connections of one family from `position` on until the page is full; returns where it
// stopped.
template <typename F>
std::size_t list_from(const lb::ConnectionTable<F>& table, std::size_t position,
                      const lb::ConnectionFilter& filter, ConnectionRecord record,
                      std::uint32_t now_s, std::size_t& looked, std::size_t& listed,
                      Mailbox& mailbox) {
  for (; looked < kLookedAtPerPage && listed < kListedPerPage && position < table.high_water();
       ++looked, ++position) {
    const lb::Connection<F>* connection = table.at(position);
    if (connection == nullptr || !filter.matches(*connection)) continue;
    record.connection = view_of(*connection);
    record.remaining_s = connection->expires_s > now_s ? connection->expires_s - now_s : 0;
    mailbox.connections.push(record);
    ++listed;
  }
  return position;
}

}  // namespace

// Positions of the IPv6 table follow those of the IPv4 table.
void Worker::list_page(const ListingRequest& request) {
  const auto& v4 = pipeline_.connections4();
  const auto& v6 = pipeline_.connections6();
  ConnectionRecord record;
  record.listing = request.number;
  std::size_t looked = 0;
  std::size_t listed = 0;
  std::size_t position = request.position;
  if (position < v4.capacity()) {
    position = list_from(v4, position, request.filter, record, now_s_, looked, listed, *mailbox_);
    if (position >= v4.high_water()) position = v4.capacity();
  }
  if (position >= v4.capacity()) {
    position = v4.capacity() + list_from(v6, position - v4.capacity(), request.filter, record,
                                         now_s_, looked, listed, *mailbox_);
  }
  record.is_end = true;
  record.next_position = position < v4.capacity() + v6.high_water() ? position : 0;
  mailbox_->connections.push(record);
}

}  // namespace keepline::worker
