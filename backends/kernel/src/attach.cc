// SPDX-License-Identifier: Apache-2.0
// Attaching programs. Every function takes (object, program name, ...) and answers {status, log,
// link?}.
#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "addon.h"
#include "arguments.h"
#include "link.h"

namespace tapio {

// Of newer headers than some distributions have. Linux 6.6.
constexpr int TCX_INGRESS = 46;
constexpr int TCX_EGRESS = 47;

static KernelObject *object_of(const Napi::CallbackInfo &info)
{
	return KernelObject::Unwrap(info[0].As<Napi::Object>());
}

static Napi::Value answer(const Napi::CallbackInfo &info, Link::Content &content,
			  const LibraryLog &log)
{
	auto outcome = outcome_of(info.Env(), 0, log);
	content.object = object_of(info)->pointer();
	outcome.Set("link", instantiate(AddonState::of(info.Env()).link_class, info.Env(), &content));
	return outcome;
}

static Napi::Value answer(const Napi::CallbackInfo &info, bpf_link *link, const LibraryLog &log)
{
	if (link == nullptr)
		return outcome_of(info.Env(), -errno, log);
	Link::Content content;
	content.library_link = link;
	return answer(info, content, log);
}

// attachSection(object, program): where the section says.
static Napi::Value attach_section(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	return answer(info, bpf_program__attach(object_of(info)->program(info[1])), log);
}

// attachXdp(object, program, interfaceIndex)
static Napi::Value attach_xdp(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	bpf_program *program = object_of(info)->program(info[1]);
	return answer(info, bpf_program__attach_xdp(program, int32_of(info[2])), log);
}

// attachCgroup(object, program, cgroupDescriptor)
static Napi::Value attach_cgroup(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	bpf_program *program = object_of(info)->program(info[1]);
	return answer(info, bpf_program__attach_cgroup(program, int32_of(info[2])), log);
}

// Before tcx: a filter in the clsact qdisc, which is ours to remove if we made it.
static Napi::Value attach_tc_filter(const Napi::CallbackInfo &info, int program, int interface,
				    bool egress, const LibraryLog &log)
{
	LIBBPF_OPTS(bpf_tc_hook, hook);
	hook.ifindex = interface;
	hook.attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS;
	int made = bpf_tc_hook_create(&hook);
	if (made < 0 && made != -EEXIST)
		return outcome_of(info.Env(), made, log);
	LIBBPF_OPTS(bpf_tc_opts, filter);
	filter.prog_fd = program;
	int status = bpf_tc_attach(&hook, &filter);
	auto remove_hook = [hook, made]() mutable {
		if (made < 0)
			return;
		hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
		bpf_tc_hook_destroy(&hook);
	};
	if (status < 0) {
		remove_hook();
		return outcome_of(info.Env(), status, log);
	}
	Link::Content content;
	content.detach = [hook, filter, remove_hook]() mutable {
		filter.prog_fd = 0;
		filter.prog_id = 0;
		filter.flags = 0;
		bpf_tc_detach(&hook, &filter);
		remove_hook();
	};
	return answer(info, content, log);
}

// attachTc(object, program, interfaceIndex, egress)
static Napi::Value attach_tc(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	int program = bpf_program__fd(object_of(info)->program(info[1]));
	int interface = int32_of(info[2]);
	bool egress = info[3].ToBoolean();
	auto type = static_cast<bpf_attach_type>(egress ? TCX_EGRESS : TCX_INGRESS);
	int fd = bpf_link_create(program, interface, type, nullptr);
	if (fd < 0 && errno == EINVAL)
		return attach_tc_filter(info, program, interface, egress, log);
	if (fd < 0)
		return outcome_of(info.Env(), -errno, log);
	Link::Content content;
	content.descriptor = FileDescriptor(fd);
	return answer(info, content, log);
}

// attachPerfEvent(object, program, type, config, frequency_hz, pid, cpu)
static Napi::Value attach_perf_event(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	bpf_program *program = object_of(info)->program(info[1]);
	perf_event_attr attributes = {};
	attributes.size = sizeof(attributes);
	attributes.type = uint32_of(info[2]);
	attributes.config = uint64_of(info[3]);
	attributes.sample_freq = uint64_of(info[4]);
	attributes.freq = 1;
	long fd = syscall(__NR_perf_event_open, &attributes, int32_of(info[5]), int32_of(info[6]),
			  -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return outcome_of(info.Env(), -errno, log);
	bpf_link *link = bpf_program__attach_perf_event(program, static_cast<int>(fd));
	int error = errno;
	if (link == nullptr)
		::close(static_cast<int>(fd));
	errno = error;
	return answer(info, link, log);
}

// attachUprobe(object, program, pid, path, function, offset, retprobe)
static Napi::Value attach_uprobe(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	bpf_program *program = object_of(info)->program(info[1]);
	std::string path = string_of(info[3]), function = string_of(info[4]);
	LIBBPF_OPTS(bpf_uprobe_opts, options);
	options.func_name = function.empty() ? nullptr : function.c_str();
	options.retprobe = info[6].ToBoolean();
	return answer(info,
		      bpf_program__attach_uprobe_opts(program, int32_of(info[2]), path.c_str(),
						      uint64_of(info[5]), &options),
		      log);
}

// attachUsdt(object, program, pid, path, provider, name)
static Napi::Value attach_usdt(const Napi::CallbackInfo &info)
{
	LibraryLog log;
	bpf_program *program = object_of(info)->program(info[1]);
	std::string path = string_of(info[3]), provider = string_of(info[4]);
	std::string name = string_of(info[5]);
	return answer(info,
		      bpf_program__attach_usdt(program, int32_of(info[2]), path.c_str(),
					       provider.c_str(), name.c_str(), nullptr),
		      log);
}

void export_attach(Napi::Env env, Napi::Object exports)
{
	auto constructor = Link::DefineClass(env, "Link",
					     {
						     Link::InstanceMethod<&Link::close>("close"),
						     Link::InstanceMethod<&Link::iterate>("iterate"),
						     Link::InstanceMethod<&Link::number>("number"),
					     });
	AddonState::of(env).link_class = Napi::Persistent(constructor);
	exports.Set("attachSection", Napi::Function::New<attach_section>(env, "attachSection"));
	exports.Set("attachXdp", Napi::Function::New<attach_xdp>(env, "attachXdp"));
	exports.Set("attachCgroup", Napi::Function::New<attach_cgroup>(env, "attachCgroup"));
	exports.Set("attachTc", Napi::Function::New<attach_tc>(env, "attachTc"));
	exports.Set("attachPerfEvent",
		    Napi::Function::New<attach_perf_event>(env, "attachPerfEvent"));
	exports.Set("attachUprobe", Napi::Function::New<attach_uprobe>(env, "attachUprobe"));
	exports.Set("attachUsdt", Napi::Function::New<attach_usdt>(env, "attachUsdt"));
}

} // namespace tapio
