// SPDX-License-Identifier: Apache-2.0
#include "link.h"

#include <bpf/bpf.h>

#include <cerrno>

#include "addon.h"
#include "descriptor.h"

namespace tapio {

Link::Link(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Link>(info)
{
	content_ = std::move(*content_of<Content>(info));
}

void Link::release()
{
	LibraryLog log;
	if (content_.library_link != nullptr)
		bpf_link__destroy(std::exchange(content_.library_link, nullptr));
	content_.descriptor.close();
	if (content_.detach)
		std::exchange(content_.detach, nullptr)();
	content_.object.reset();
}

void Link::close(const Napi::CallbackInfo &)
{
	release();
}

// iterate(): Descriptor | -errno. Reading it runs the iterator.
Napi::Value Link::iterate(const Napi::CallbackInfo &info)
{
	int fd = bpf_iter_create(content_.number());
	return Descriptor::wrap(info.Env(), fd < 0 ? -errno : fd);
}

// number(): the link's descriptor, which stays the link's, or -1 where the kernel made none.
Napi::Value Link::number(const Napi::CallbackInfo &info)
{
	return Napi::Number::New(info.Env(), content_.number());
}

} // namespace tapio
