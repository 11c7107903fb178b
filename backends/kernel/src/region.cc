// SPDX-License-Identifier: Apache-2.0
#include "region.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace tapio {

std::shared_ptr<Region> Region::map(int fd, size_t size, size_t offset, int protection)
{
	void *data = mmap(nullptr, size, protection, MAP_SHARED, fd, static_cast<off_t>(offset));
	if (data == MAP_FAILED)
		return nullptr;
	return std::shared_ptr<Region>(new Region(static_cast<uint8_t *>(data), size, true));
}

std::shared_ptr<Region> Region::allocate(size_t size)
{
	void *data = calloc(1, size);
	if (data == nullptr)
		throw std::bad_alloc();
	return std::shared_ptr<Region>(new Region(static_cast<uint8_t *>(data), size, false));
}

void Region::release()
{
	if (data_ == nullptr)
		return;
	if (mapped_)
		munmap(data_, size_);
	else
		free(data_);
	data_ = nullptr;
}

Window::Window(Napi::Env env, std::shared_ptr<Region> region, size_t offset, size_t size)
    : region_(std::move(region))
{
	// The buffer holds the region as well, for it may live longer than whoever made it.
	auto *hold = new std::shared_ptr<Region>(region_);
	auto buffer = Napi::ArrayBuffer::New(
		env, region_->data() + offset, size,
		[](Napi::Env, void *, std::shared_ptr<Region> *held) { delete held; }, hold);
	buffer_ = Napi::Persistent(buffer);
}

bool Window::close()
{
	if (buffer_.IsEmpty())
		return true;
	Napi::HandleScope scope(buffer_.Env());
	auto buffer = buffer_.Value();
	bool ours = !buffer.IsDetached();
	if (ours)
		buffer.Detach();
	buffer_.Reset();
	region_.reset();
	return ours;
}

} // namespace tapio
