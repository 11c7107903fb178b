// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <memory>

#include "file_descriptor.h"
#include "region.h"
#include "watcher.h"

namespace tapio {

// A ring buffer's pages, read in place. Layout of the mapping, which is the kernel's interface: one
// page with the consumer's position, one with the producer's, then the data twice in a row, so that
// every record is contiguous.
class Ring : public Napi::ObjectWrap<Ring> {
public:
	struct Content {
		std::shared_ptr<Region> consumer, producer;
		size_t page, size;
		uint32_t batch_records;
		FileDescriptor edge;
	};

	explicit Ring(const Napi::CallbackInfo &info);
	~Ring() override { release_all(); }

private:
	friend void export_ring(Napi::Env env, Napi::Object exports);
	Napi::Value data(const Napi::CallbackInfo &info);
	Napi::Value batch(const Napi::CallbackInfo &info);
	Napi::Value fill(const Napi::CallbackInfo &info);
	void release(const Napi::CallbackInfo &info);
	Napi::Value available(const Napi::CallbackInfo &info);
	Napi::Value watch(const Napi::CallbackInfo &info);
	Napi::Value consume_signal(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	bool take_signal();
	void ready(Napi::Env env);
	void release_all();

	std::shared_ptr<Region> consumer_, producer_, batch_;
	Window data_window_, batch_window_;
	uint64_t *consumer_position_ = nullptr;
	const uint64_t *producer_position_ = nullptr;
	const uint8_t *records_ = nullptr;
	uint64_t mask_ = 0;
	// Where the records of the last fill end.
	uint64_t filled_ = 0;
	uint32_t batch_records_ = 0;

	// Watches the ring edge-triggered: it becomes readable with a wake-up, not with mere data.
	FileDescriptor edge_;
	std::shared_ptr<Watcher> watcher_;
	uint32_t watch_id_ = 0;
	Napi::FunctionReference callback_;
};

} // namespace tapio
