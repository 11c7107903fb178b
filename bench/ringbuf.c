// SPDX-License-Identifier: Apache-2.0
/*
 * The reader that `bench ringbuf` measures ours against: the same object, the same work for each
 * record, with libbpf in C.
 *
 * usage: ringbuf OBJECT RECORDS RATE SECONDS
 *   For each line of standard input prints one: "drain" fills the ring with RECORDS records and says
 *   how many nanoseconds of CPU time draining them took; "pace" reads along while a thread produces
 *   RATE records a second for SECONDS, and says what arrived.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RECORDS_PER_RUN_MAX 512
#define NS_PER_S 1000000000ull
/* Records are produced in bursts of this length, as work comes in bursts. */
#define BURST_NS 1000000ull

struct global_data {
	uint64_t produced, lost;
};

struct reader {
	uint64_t received, gaps;
	uint32_t last;
};

static int program_fd;
static volatile bool finished;

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void produce(uint64_t records)
{
	while (records > 0) {
		uint64_t arguments[1] = { records < RECORDS_PER_RUN_MAX ? records :
									  RECORDS_PER_RUN_MAX };
		LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = arguments,
			    .ctx_size_in = sizeof(arguments));

		if (bpf_prog_test_run_opts(program_fd, &options) < 0)
			die("run program");
		records -= arguments[0];
	}
}

static int receive(void *context, void *data, size_t size)
{
	struct reader *reader = context;
	uint32_t number = *(uint32_t *)data;

	(void)size;
	reader->received++;
	reader->gaps += (uint32_t)(number - reader->last - 1);
	reader->last = number;
	return 0;
}

struct pace {
	uint64_t records_per_s, duration_ns;
};

static void *produce_paced(void *argument)
{
	const struct pace *pace = argument;
	uint64_t start_ns = now_ns(CLOCK_MONOTONIC), done = 0, elapsed_ns;

	while ((elapsed_ns = now_ns(CLOCK_MONOTONIC) - start_ns) < pace->duration_ns) {
		uint64_t due = elapsed_ns * pace->records_per_s / NS_PER_S;
		struct timespec pause = { .tv_nsec = BURST_NS };

		if (due > done)
			produce(due - done);
		done = due;
		nanosleep(&pause, NULL);
	}
	finished = true;
	return NULL;
}

static struct global_data read_global(struct bpf_object *object)
{
	struct global_data data;
	uint32_t key = 0;
	int fd = bpf_object__find_map_fd_by_name(object, ".bss");

	if (fd < 0 || bpf_map_lookup_elem(fd, &key, &data) < 0)
		die("read global data");
	return data;
}

/* CPU time, because other processes may want the machine, too. */
static void drain(struct ring_buffer *ring, uint64_t records)
{
	uint64_t start_ns;

	produce(records);
	start_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);
	if (ring_buffer__consume(ring) < 0)
		die("consume");
	printf("%llu\n", (unsigned long long)(now_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns));
}

static void read_along(struct ring_buffer *ring, struct bpf_object *object, struct reader *reader,
		       struct pace *pace)
{
	struct global_data before = read_global(object), after;
	pthread_t thread;

	reader->received = reader->gaps = 0;
	finished = false;
	if (pthread_create(&thread, NULL, produce_paced, pace))
		die("start thread");
	while (!finished)
		ring_buffer__poll(ring, 100);
	pthread_join(thread, NULL);
	ring_buffer__consume(ring);
	after = read_global(object);
	printf("{\"produced\":%llu,\"received\":%llu,\"lost\":%llu,\"gaps\":%llu}\n",
	       (unsigned long long)(after.produced - before.produced),
	       (unsigned long long)reader->received,
	       (unsigned long long)(after.lost - before.lost), (unsigned long long)reader->gaps);
}

int main(int argc, char **argv)
{
	struct reader reader = {};
	struct bpf_object *object;
	struct ring_buffer *ring;
	struct pace pace;
	uint64_t records;
	char line[16];

	if (argc != 5) {
		fprintf(stderr, "usage: ringbuf OBJECT RECORDS RATE SECONDS\n");
		return 2;
	}
	records = strtoull(argv[2], NULL, 10);
	pace.records_per_s = strtoull(argv[3], NULL, 10);
	pace.duration_ns = strtoull(argv[4], NULL, 10) * NS_PER_S;
	object = bpf_object__open_file(argv[1], NULL);
	if (!object || bpf_object__load(object) < 0)
		die("load object");
	program_fd = bpf_program__fd(bpf_object__find_program_by_name(object, "produce"));
	ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "ring"), receive, &reader,
				NULL);
	if (!ring)
		die("open ring");
	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == 'd')
			drain(ring, records);
		else
			read_along(ring, object, &reader, &pace);
		fflush(stdout);
	}
	ring_buffer__free(ring);
	bpf_object__close(object);
	return 0;
}
