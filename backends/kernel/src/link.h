// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/libbpf.h>
#include <napi.h>

#include <functional>

#include "file_descriptor.h"
#include "object.h"

namespace tapio {

// An attached program. Detaches when it is closed, or when nobody holds it any more.
class Link : public Napi::ObjectWrap<Link> {
public:
	struct Content {
		// Kept open as long as the link: libbpf's links may point into the object.
		ObjectPointer object;
		// The one of these that is set holds the attachment.
		bpf_link *library_link = nullptr;
		FileDescriptor descriptor;
		std::function<void()> detach;

		int number() const
		{
			return library_link != nullptr ? bpf_link__fd(library_link)
						       : descriptor.number();
		}
	};

	explicit Link(const Napi::CallbackInfo &info);
	~Link() override { release(); }

private:
	friend void export_attach(Napi::Env env, Napi::Object exports);
	void release();
	void close(const Napi::CallbackInfo &info);
	Napi::Value iterate(const Napi::CallbackInfo &info);
	Napi::Value number(const Napi::CallbackInfo &info);

	Content content_;
};

} // namespace tapio
