// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace tapio {

// Memory that outlives whoever looks at it: a mapping of a descriptor, or plain memory.
class Region {
public:
	// Maps `size` bytes; null where the kernel refuses (errno says why).
	static std::shared_ptr<Region> map(int fd, size_t size, size_t offset, int protection);
	static std::shared_ptr<Region> allocate(size_t size);
	~Region() { release(); }
	Region(const Region &) = delete;
	Region &operator=(const Region &) = delete;

	uint8_t *data() const { return data_; }
	size_t size() const { return size_; }
	void release();

private:
	Region(uint8_t *data, size_t size, bool mapped) : data_(data), size_(size), mapped_(mapped) {}

	uint8_t *data_;
	size_t size_;
	bool mapped_;
};

// The part of a region that JavaScript sees as an ArrayBuffer, until it is taken away again.
class Window {
public:
	Window() = default;
	Window(Napi::Env env, std::shared_ptr<Region> region, size_t offset, size_t size);

	Napi::Value buffer() const { return buffer_.Value(); }
	// Views become empty. True where nothing that JavaScript holds leads to the memory any more;
	// false where the buffer was transferred: then whoever got it has the memory as long as it wants.
	bool close();

private:
	std::shared_ptr<Region> region_;
	Napi::Reference<Napi::ArrayBuffer> buffer_;
};

} // namespace tapio
