// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "file_descriptor.h"

namespace tapio {

// Waits for descriptors on a thread of its own and tells JavaScript's thread: one for each
// environment. Everything but the waiting happens on JavaScript's thread. Node-API has no event loop
// of its own, and libuv's headers are not everywhere; a thread that sleeps in epoll costs nothing.
class Watcher {
public:
	// Null where the system has no descriptors left (errno says so).
	static std::shared_ptr<Watcher> start(Napi::Env env);
	~Watcher() { stop(); }
	Watcher(const Watcher &) = delete;
	Watcher &operator=(const Watcher &) = delete;

	// A number for `arm`; `ready` is called on JavaScript's thread, once for each `arm`.
	uint32_t add(int fd, std::function<void(Napi::Env)> ready);
	void arm(uint32_t id);
	void remove(uint32_t id);

private:
	struct Entry {
		int fd;
		std::function<void(Napi::Env)> ready;
	};

	Watcher() = default;
	void wait();
	void stop();
	static void call(napi_env env, napi_value function, void *context, void *id);

	FileDescriptor epoll_, stop_;
	napi_threadsafe_function notify_ = nullptr;
	std::thread thread_;
	std::map<uint32_t, Entry> entries_;
	uint32_t last_id_ = 0;
};

} // namespace tapio
