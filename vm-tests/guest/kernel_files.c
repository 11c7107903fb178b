/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the guest that the host needs to know. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kernel_process.h"

#define CHUNK_BYTES 65536

s32 read_file(void)
{
	static u8 chunk[CHUNK_BYTES];
	u32 size;
	u8 *path = take_block(&size);
	ssize_t count;
	int fd;

	if (!path || path[size - 1] != '\0')
		die("a path does not end");
	fd = open((const char *)path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((count = read(fd, chunk, sizeof(chunk))) > 0)
		memcpy(add_space(count), chunk, count);
	close(fd);
	return count < 0 ? -EIO : 0;
}
