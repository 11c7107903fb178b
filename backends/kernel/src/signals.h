// SPDX-License-Identifier: Apache-2.0
// Keeps signals away from a system call that would give up for them.
#pragma once

#include <csignal>

namespace tapio {

// Holds back this thread's signals for as long as it lives: the verifier ends with EAGAIN where one is
// pending, and a profiler sends a thousand a second.
class SignalsHeldBack {
public:
	SignalsHeldBack()
	{
		sigset_t all;
		sigfillset(&all);
		pthread_sigmask(SIG_BLOCK, &all, &before_);
	}
	~SignalsHeldBack() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
	SignalsHeldBack(const SignalsHeldBack &) = delete;
	SignalsHeldBack &operator=(const SignalsHeldBack &) = delete;

private:
	sigset_t before_;
};

} // namespace tapio
