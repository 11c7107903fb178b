// SPDX-License-Identifier: Apache-2.0
#include "ring.h"

#include <linux/bpf.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "addon.h"
#include "arguments.h"

namespace tapio {

constexpr uint64_t PREFETCH_RECORDS = 12;

// Bytes that a record of this length takes in the ring.
static uint64_t room_of(uint32_t length)
{
	return (static_cast<uint64_t>(length) + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
}

Ring::Ring(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Ring>(info)
{
	auto *content = content_of<Content>(info);
	consumer_ = content->consumer;
	producer_ = content->producer;
	consumer_position_ = reinterpret_cast<uint64_t *>(consumer_->data());
	producer_position_ = reinterpret_cast<const uint64_t *>(producer_->data());
	records_ = producer_->data() + content->page;
	mask_ = content->size - 1;
	filled_ = __atomic_load_n(consumer_position_, __ATOMIC_RELAXED);
	batch_records_ = content->batch_records;
	batch_ = Region::allocate(2 * sizeof(uint32_t) * batch_records_);
	data_window_ = Window(info.Env(), producer_, content->page, 2 * content->size);
	batch_window_ = Window(info.Env(), batch_, 0, batch_->size());
	edge_ = std::move(content->edge);
}

// The data, twice in a row. Its pages are read-only: the kernel gives no others.
Napi::Value Ring::data(const Napi::CallbackInfo &)
{
	return data_window_.buffer();
}

// Offsets, then lengths, of the last fill's records.
Napi::Value Ring::batch(const Napi::CallbackInfo &)
{
	return batch_window_.buffer();
}

// fill(maxRecords): committed records from the consumer's position on, up to the first that is not
// committed yet. Discarded ones are passed over.
Napi::Value Ring::fill(const Napi::CallbackInfo &info)
{
	if (consumer_ == nullptr)
		return Napi::Number::New(info.Env(), 0);
	uint32_t limit = std::min(uint32_of(info[0]), batch_records_);
	auto *offsets = reinterpret_cast<uint32_t *>(batch_->data());
	uint32_t *lengths = offsets + batch_records_;
	uint64_t position = __atomic_load_n(consumer_position_, __ATOMIC_RELAXED);
	const uint64_t end = __atomic_load_n(producer_position_, __ATOMIC_ACQUIRE);
	uint32_t count = 0;
	while (position < end && count < limit) {
		uint64_t offset = position & mask_;
		auto *header = reinterpret_cast<const uint32_t *>(records_ + offset);
		uint32_t length = __atomic_load_n(header, __ATOMIC_ACQUIRE);
		if (length & BPF_RINGBUF_BUSY_BIT)
			break;
		// Records tend to be of one size: ask for the header some records ahead.
		__builtin_prefetch(records_ + ((position + PREFETCH_RECORDS * room_of(length)) & mask_));
		bool discarded = length & BPF_RINGBUF_DISCARD_BIT;
		length &= ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		if (!discarded) {
			offsets[count] = static_cast<uint32_t>(offset) + BPF_RINGBUF_HDR_SZ;
			lengths[count] = length;
			count++;
		}
		position += room_of(length);
	}
	filled_ = position;
	return Napi::Number::New(info.Env(), count);
}

// Gives the space of the last fill's records back to programs.
void Ring::release(const Napi::CallbackInfo &)
{
	if (consumer_ == nullptr)
		return;
	__atomic_store_n(consumer_position_, filled_, __ATOMIC_RELEASE);
	// A program wakes us only if it sees that we had caught up. Were the next look at its position
	// done before this store is visible, both sides would wait for each other.
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

Napi::Value Ring::available(const Napi::CallbackInfo &info)
{
	if (consumer_ == nullptr)
		return Napi::Number::New(info.Env(), 0);
	// In this order, so that the distance is never negative.
	uint64_t consumed = __atomic_load_n(consumer_position_, __ATOMIC_ACQUIRE);
	uint64_t produced = __atomic_load_n(producer_position_, __ATOMIC_ACQUIRE);
	return Napi::Number::New(info.Env(), static_cast<double>(produced - consumed));
}

bool Ring::take_signal()
{
	epoll_event event;
	return epoll_wait(edge_.number(), &event, 1, 0) > 0;
}

// consumeSignal(): whether a program signalled data since the last look.
Napi::Value Ring::consume_signal(const Napi::CallbackInfo &info)
{
	return Napi::Boolean::New(info.Env(), edge_.open() && take_signal());
}

void Ring::ready(Napi::Env env)
{
	if (!take_signal()) {
		watcher_->arm(watch_id_);
		return;
	}
	Napi::HandleScope scope(env);
	// libuv's C code called us: a C++ exception must not pass through it.
	try {
		callback_.Call({});
	} catch (const Napi::Error &error) {
		error.ThrowAsJavaScriptException();
	}
}

// watch(callback): calls it once, when a program signals data. 0 | -errno
Napi::Value Ring::watch(const Napi::CallbackInfo &info)
{
	AddonState &state = AddonState::of(info.Env());
	if (!edge_.open())
		return Napi::Number::New(info.Env(), -EBADF);
	if (state.watcher == nullptr) {
		state.watcher = Watcher::start(info.Env());
		if (state.watcher == nullptr)
			return Napi::Number::New(info.Env(), -errno);
	}
	if (watcher_ == nullptr) {
		watcher_ = state.watcher;
		watch_id_ = watcher_->add(edge_.number(), [this](Napi::Env env) { ready(env); });
	}
	callback_ = Napi::Persistent(info[0].As<Napi::Function>());
	watcher_->arm(watch_id_);
	return Napi::Number::New(info.Env(), 0);
}

void Ring::release_all()
{
	if (watcher_ != nullptr)
		watcher_->remove(watch_id_);
	watcher_.reset();
	edge_.close();
	consumer_position_ = nullptr;
	producer_position_ = nullptr;
	consumer_.reset();
	producer_.reset();
}

void Ring::close(const Napi::CallbackInfo &)
{
	auto producer = producer_;
	bool unseen = data_window_.close();
	batch_window_.close();
	release_all();
	batch_.reset();
	callback_.Reset();
	// Pages that nobody sees need not wait for the garbage collector.
	if (unseen && producer != nullptr)
		producer->release();
}

// openRing(fd, sizeBytes, batchRecords): Ring | -errno
static Napi::Value open_ring(const Napi::CallbackInfo &info)
{
	int fd = int32_of(info[0]);
	Ring::Content content;
	content.size = uint64_of(info[1]);
	content.batch_records = uint32_of(info[2]);
	content.page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
	content.consumer = Region::map(fd, content.page, 0, PROT_READ | PROT_WRITE);
	if (content.consumer == nullptr)
		return Napi::Number::New(info.Env(), -errno);
	content.producer =
		Region::map(fd, content.page + 2 * content.size, content.page, PROT_READ);
	if (content.producer == nullptr)
		return Napi::Number::New(info.Env(), -errno);
	content.edge = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
	epoll_event event = {};
	event.events = EPOLLIN | EPOLLET;
	if (!content.edge.open() ||
	    epoll_ctl(content.edge.number(), EPOLL_CTL_ADD, fd, &event) < 0)
		return Napi::Number::New(info.Env(), -errno);
	return instantiate(AddonState::of(info.Env()).ring_class, info.Env(), &content);
}

void export_ring(Napi::Env env, Napi::Object exports)
{
	auto constructor =
		Ring::DefineClass(env, "Ring",
				  {
					  Ring::InstanceMethod<&Ring::data>("data"),
					  Ring::InstanceMethod<&Ring::batch>("batch"),
					  Ring::InstanceMethod<&Ring::fill>("fill"),
					  Ring::InstanceMethod<&Ring::release>("release"),
					  Ring::InstanceMethod<&Ring::available>("available"),
					  Ring::InstanceMethod<&Ring::watch>("watch"),
					  Ring::InstanceMethod<&Ring::consume_signal>("consumeSignal"),
					  Ring::InstanceMethod<&Ring::close>("close"),
				  });
	AddonState::of(env).ring_class = Napi::Persistent(constructor);
	exports.Set("openRing", Napi::Function::New<open_ring>(env, "openRing"));
}

} // namespace tapio
