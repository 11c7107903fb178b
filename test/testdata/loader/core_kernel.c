// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The types that core.bpf.c meets when it runs: the same names, laid out otherwise. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct point {
	long pad[3];
	int y;
	int x;
};

struct inner {
	u64 before;
	u32 value;
};

union number {
	u64 wide;
	float real;
};

enum colour { GREEN = 7, BLUE = 0x80000000u, RED = 3 };
enum direction { UP = -1, DOWN = -2 };

struct widget {
	char moved[40];
	struct {
		union {
			int deep;
			long deep_long;
		};
		struct point nested;
	};
	const volatile u32 qualified;
	u64 grew;		/* was u32 */
	u16 shrank;		/* was u64 */
	int became_signed;	/* was u64 */
	char *pointer;
	struct inner *reference;
	struct inner array[5];
	struct point grid[2][6];
	u8 bytes[16];
	enum colour colour;
	u32 flag_a : 3;
	u32 flag_b : 7;
	int flag_c : 5;
	u64 wide_flag : 40;
	u32 became_bits : 9;
	u32 no_bits_now;
	union number number;
	int (*callback)(struct widget *self, long argument);
	struct inner flexible[];
};

typedef struct {
	u64 other;
	u32 value;
} anonymous_t;

struct huge {
	char much[40000];
	u32 far;
};

struct only_declared;

struct uses {
	struct only_declared *declared;
	struct point *defined;
};

typedef int (*handler_t)(struct widget *, long);
typedef int (*other_handler_t)(struct widget *, struct inner *);
typedef u64 array_t[4];

/* BTF describes in full what a variable has. */
struct widget widget;
anonymous_t anonymous;
struct huge huge;
struct uses uses;
enum direction direction;
handler_t handler;
other_handler_t other_handler;
array_t array;
