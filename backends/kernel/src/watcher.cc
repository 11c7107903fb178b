// SPDX-License-Identifier: Apache-2.0
#include "watcher.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>

namespace tapio {

constexpr uint32_t STOP_ID = 0;
constexpr int EVENTS_MAX = 16;

static void *pointer_of(uint32_t id)
{
	return reinterpret_cast<void *>(static_cast<uintptr_t>(id));
}

std::shared_ptr<Watcher> Watcher::start(Napi::Env env)
{
	std::shared_ptr<Watcher> watcher(new Watcher());
	watcher->epoll_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
	watcher->stop_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	epoll_event event = {};
	event.events = EPOLLIN;
	event.data.u32 = STOP_ID;
	if (!watcher->epoll_.open() || !watcher->stop_.open() ||
	    epoll_ctl(watcher->epoll_.number(), EPOLL_CTL_ADD, watcher->stop_.number(), &event) < 0)
		return nullptr;
	// The environment ends this function before it goes; its end must be the thread's end too.
	auto *held = new std::shared_ptr<Watcher>(watcher);
	auto ended = [](napi_env, void *data, void *) {
		auto *holder = static_cast<std::shared_ptr<Watcher> *>(data);
		(*holder)->stop();
		delete holder;
	};
	napi_status status = napi_create_threadsafe_function(
		env, nullptr, nullptr, Napi::String::New(env, "tapio_bpf"), 0, 1, held, ended,
		watcher.get(), call, &watcher->notify_);
	if (status != napi_ok) {
		delete held;
		throw Napi::Error::New(env, "cannot make a thread-safe function");
	}
	napi_unref_threadsafe_function(env, watcher->notify_);
	// Signals are JavaScript's to handle: the new thread inherits a mask that blocks them all.
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	watcher->thread_ = std::thread([raw = watcher.get()] { raw->wait(); });
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	return watcher;
}

void Watcher::wait()
{
	epoll_event events[EVENTS_MAX];
	for (;;) {
		int count = epoll_wait(epoll_.number(), events, EVENTS_MAX, -1);
		if (count < 0 && errno != EINTR)
			return;
		for (int i = 0; i < count; i++) {
			uint32_t id = events[i].data.u32;
			if (id == STOP_ID)
				return;
			if (napi_call_threadsafe_function(notify_, pointer_of(id),
							  napi_tsfn_nonblocking) == napi_closing)
				return;
		}
	}
}

void Watcher::stop()
{
	if (!thread_.joinable())
		return;
	const uint64_t one = 1;
	while (write(stop_.number(), &one, sizeof(one)) < 0 && errno == EINTR)
		;
	thread_.join();
}

void Watcher::call(napi_env env, napi_value, void *context, void *id)
{
	// Without an environment only the queue is emptied, because it ends.
	if (env == nullptr)
		return;
	auto *watcher = static_cast<Watcher *>(context);
	auto entry = watcher->entries_.find(
		static_cast<uint32_t>(reinterpret_cast<uintptr_t>(id)));
	// A ring that was closed meanwhile.
	if (entry == watcher->entries_.end())
		return;
	auto ready = entry->second.ready;
	ready(Napi::Env(env));
}

uint32_t Watcher::add(int fd, std::function<void(Napi::Env)> ready)
{
	uint32_t id = ++last_id_;
	epoll_event event = {};
	event.events = 0;
	event.data.u32 = id;
	epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, fd, &event);
	entries_[id] = {fd, std::move(ready)};
	return id;
}

void Watcher::arm(uint32_t id)
{
	epoll_event event = {};
	event.events = EPOLLIN | EPOLLONESHOT;
	event.data.u32 = id;
	epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, entries_.at(id).fd, &event);
}

void Watcher::remove(uint32_t id)
{
	auto entry = entries_.find(id);
	if (entry == entries_.end())
		return;
	epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, entry->second.fd, nullptr);
	entries_.erase(entry);
}

} // namespace tapio
