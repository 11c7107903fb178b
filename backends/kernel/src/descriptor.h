// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include "file_descriptor.h"

namespace tapio {

// A descriptor that JavaScript owns: closed by close(), or when nobody holds it any more.
class Descriptor : public Napi::ObjectWrap<Descriptor> {
public:
	explicit Descriptor(const Napi::CallbackInfo &info);

	// A `Descriptor`, or the number itself where it is a negative errno.
	static Napi::Value wrap(Napi::Env env, int number);

private:
	friend void export_descriptor(Napi::Env env, Napi::Object exports);
	Napi::Value number(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	FileDescriptor descriptor_;
};

} // namespace tapio
