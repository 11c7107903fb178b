// SPDX-License-Identifier: Apache-2.0
// The values of a map as memory that JavaScript shares with running programs.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "addon.h"
#include "arguments.h"
#include "region.h"

namespace tapio {

class Mapping : public Napi::ObjectWrap<Mapping> {
public:
	struct Content {
		std::shared_ptr<Region> region;
		size_t size;
	};

	explicit Mapping(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Mapping>(info)
	{
		auto *content = content_of<Content>(info);
		region_ = content->region;
		window_ = Window(info.Env(), content->region, 0, content->size);
	}

	Napi::Value buffer(const Napi::CallbackInfo &) { return window_.buffer(); }
	void close(const Napi::CallbackInfo &)
	{
		auto region = std::move(region_);
		if (window_.close() && region != nullptr)
			region->release();
	}

private:
	std::shared_ptr<Region> region_;
	Window window_;
};

// mapMemory(fd, size): Mapping | -errno
static Napi::Value map_memory(const Napi::CallbackInfo &info)
{
	size_t size = uint64_of(info[1]);
	size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
	size_t rounded = (size + page - 1) / page * page;
	auto region = Region::map(int32_of(info[0]), rounded, 0, PROT_READ | PROT_WRITE);
	if (region == nullptr)
		return Napi::Number::New(info.Env(), -errno);
	Mapping::Content content{region, size};
	return instantiate(AddonState::of(info.Env()).mapping_class, info.Env(), &content);
}

void export_mapping(Napi::Env env, Napi::Object exports)
{
	auto constructor =
		Mapping::DefineClass(env, "Mapping",
				     {
					     Mapping::InstanceMethod<&Mapping::buffer>("buffer"),
					     Mapping::InstanceMethod<&Mapping::close>("close"),
				     });
	AddonState::of(env).mapping_class = Napi::Persistent(constructor);
	exports.Set("mapMemory", Napi::Function::New<map_memory>(env, "mapMemory"));
}

} // namespace tapio
