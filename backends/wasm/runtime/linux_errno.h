/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's errno numbers (asm-generic), which programs and the host see. The C library of WebAssembly
 * numbers them as WASI does (its EINVAL is 28), so its names are redefined here.
 */
#ifndef TAPIO_LINUX_ERRNO_H
#define TAPIO_LINUX_ERRNO_H

#include <errno.h>

#undef EPERM
#define EPERM 1
#undef ENOENT
#define ENOENT 2
#undef ESRCH
#define ESRCH 3
#undef EINTR
#define EINTR 4
#undef EIO
#define EIO 5
#undef E2BIG
#define E2BIG 7
#undef EBADF
#define EBADF 9
#undef EAGAIN
#define EAGAIN 11
#undef ENOMEM
#define ENOMEM 12
#undef EACCES
#define EACCES 13
#undef EFAULT
#define EFAULT 14
#undef EBUSY
#define EBUSY 16
#undef EEXIST
#define EEXIST 17
#undef ENODEV
#define ENODEV 19
#undef EINVAL
#define EINVAL 22
#undef ENOSPC
#define ENOSPC 28
#undef EDOM
#define EDOM 33
#undef ERANGE
#define ERANGE 34
#undef EDEADLK
#define EDEADLK 35
#undef ENAMETOOLONG
#define ENAMETOOLONG 36
#undef ELOOP
#define ELOOP 40
#undef ENODATA
#define ENODATA 61
#undef EOVERFLOW
#define EOVERFLOW 75
#undef EMSGSIZE
#define EMSGSIZE 90
#undef EPROTONOSUPPORT
#define EPROTONOSUPPORT 93
#undef EOPNOTSUPP
#define EOPNOTSUPP 95
#undef ETIMEDOUT
#define ETIMEDOUT 110

#endif
