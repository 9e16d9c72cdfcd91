/* SPDX-License-Identifier: BSD-2-Clause */
/* test-sources: devices/backend/net_offload.c tests/host/backend/net_reference.c */
/* Checksums and segments, byte for byte as the plain way makes them. */
#include "devices/backend/net_offload.h"
#include "tests/host/backend/net_reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t payload[65536], frame[66000], expected[66000], got[66000];
static struct net_cut cut;

static void fill(void)
{
	unsigned i;

	for (i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)rand();
}

/* The frame in two pieces, the second from @split on. */
static bool start(const struct reference *r, struct net_offload offload, size_t split)
{
	static struct net_piece pieces[2];

	pieces[0] = (struct net_piece){frame, MIN(split, r->len)};
	pieces[1] = (struct net_piece){frame + pieces[0].len, r->len - pieces[0].len};
	return net_cut_start(&cut, &(struct net_frame){pieces, 2, r->len, offload});
}

static size_t gather(const struct net_frame *f)
{
	size_t at = 0, i;

	for (i = 0; i < f->piece_count; i++) {
		assert_true(f->pieces[i].len);
		memcpy(got + at, f->pieces[i].data, f->pieces[i].len);
		at += f->pieces[i].len;
	}
	assert_int_equal(at, f->len);
	assert_int_equal(f->offload.flags, NET_CSUM_VALID);
	return at;
}

static void test_sums(void **state)
{
	unsigned len, at, split;

	(void)state;
	fill();
	for (len = 0; len < 70; len++) {
		for (at = 0; at < 9; at++) {
			uint16_t plain = reference_checksum(payload + at, len, 0);
			uint16_t sum = (uint16_t)~net_sum_fold(net_sum(0, 0, payload + at, len));

			assert_int_equal(__builtin_bswap16(sum), plain);
			split = len ? (unsigned)rand() % len : 0;
			sum = (uint16_t)~net_sum_fold(net_sum(net_sum(0, 0, payload + at, split),
							      split, payload + at + split,
							      len - split));
			assert_int_equal(__builtin_bswap16(sum), plain);
		}
	}
	/* Carries: as many as there can be. */
	memset(payload, 0xff, sizeof(payload));
	assert_int_equal(net_sum_fold(net_sum(0, 0, payload, sizeof(payload))), 0xffff);
	payload[sizeof(payload) - 1] = 0xfe;
	assert_int_equal(net_sum_fold(net_sum(0, 0, payload, sizeof(payload))), 0xfeff);
	assert_int_equal(net_sum_fold(UINT64_MAX), 0xffff);
	assert_int_equal(net_sum_fold(UINT64_C(0xffffffff00000001)), 1);
}

static struct net_offload partial(const struct reference *r)
{
	return (struct net_offload){.flags = NET_CSUM_PARTIAL,
				    .csum_start = (uint16_t)r->l4,
				    .csum_offset = r->protocol == 6 ? 16 : 6};
}

static void check_one_sum(struct reference r)
{
	size_t split;

	reference_make(&r, frame, payload);
	memcpy(expected, frame, r.len);
	assert_true(reference_right(&r, frame));
	reference_leave_sum(&r, frame);
	split = (size_t)rand() % (r.len + 1);
	assert_true(start(&r, partial(&r), split));
	assert_int_equal(gather(&cut.segment), r.len);
	assert_memory_equal(got, expected, r.len);
	assert_false(net_cut_next(&cut));
}

static void test_one_sum(void **state)
{
	unsigned i;

	(void)state;
	fill();
	for (i = 0; i < 2000; i++)
		check_one_sum((struct reference){.vlan = i & 1,
						 .v6 = i & 2,
						 .protocol = i & 4 ? 6 : 17,
						 .ip_extra = i & 8 ? 8 : 0,
						 .tcp_extra = i & 16 ? 12 : 0,
						 .payload = (size_t)rand() % (i & 32 ? 2000 : 40)});
	check_one_sum((struct reference){.protocol = 6, .payload = 65535 - 40});
}

/* A sum that is 0 reads as none over UDP: what goes out is the other 0. */
static void test_zero_sum(void **state)
{
	struct reference r = {.protocol = 17, .payload = 2};
	uint16_t sum;

	(void)state;
	memset(payload, 0, 2);
	reference_make(&r, frame, payload);
	memcpy(payload, frame + r.l4 + 6, 2); /* the sum as payload makes it 0 */
	reference_make(&r, frame, payload);
	memcpy(&sum, frame + r.l4 + 6, 2);
	assert_int_equal(sum, 0xffff);
	check_one_sum(r);
}

/* Segment after segment against the frame that the plain way makes for it. */
static unsigned check_cut(struct reference r, unsigned gso_size, bool ecn)
{
	struct net_offload offload;
	struct reference s;
	unsigned count = 0;
	size_t done = 0;

	reference_make(&r, frame, payload);
	reference_leave_sum(&r, frame);
	offload = partial(&r);
	offload.flags |= (r.v6 ? NET_TSO6 : NET_TSO4) | (ecn ? NET_TSO_ECN : 0);
	offload.gso_size = (uint16_t)gso_size;
	assert_true(start(&r, offload, (size_t)rand() % (r.len + 1)));
	do {
		s = r;
		s.payload = MIN(r.payload - done, (size_t)gso_size);
		s.id = (uint16_t)(r.id + count);
		s.sequence = r.sequence + (uint32_t)done;
		if (done + s.payload < r.payload)
			s.flags &= 0xf6; /* neither FIN nor PSH */
		if (count)
			s.flags &= 0x7f; /* no CWR */
		reference_make(&s, expected, payload + done);
		assert_int_equal(gather(&cut.segment), s.len);
		assert_memory_equal(got, expected, s.len);
		done += s.payload;
		count++;
	} while (net_cut_next(&cut));
	assert_int_equal(done, r.payload);
	return count;
}

static void test_segments(void **state)
{
	struct reference r = {.protocol = 6,
			      .payload = 65535 - 40,
			      .flags = 0xf9,
			      .id = 0xfffe,
			      .sequence = 0xffffff00};
	unsigned i;

	(void)state;
	fill();
	assert_int_equal(check_cut(r, 1460, false), 45);
	assert_int_equal(check_cut(r, 65495, true), 1);
	for (i = 0; i < 300; i++) {
		r.vlan = i & 1;
		r.v6 = i & 2;
		r.ip_extra = i & 4 ? 16 : 0;
		r.tcp_extra = i & 8 ? 40 : 0;
		r.payload = (size_t)rand() % (i & 16 ? 60000 : 100);
		check_cut(r, 64 + (unsigned)rand() % 9000, i & 32);
	}
}

/* What the sender left where the sum goes does not count: some leave its length out. */
static void test_pseudo_header_of_others(void **state)
{
	struct reference r = {.protocol = 6, .payload = 3000};
	struct net_offload offload;

	(void)state;
	reference_make(&r, frame, payload);
	memset(frame + r.l4 + 16, 0xee, 2);
	offload = partial(&r);
	offload.flags |= NET_TSO4;
	offload.gso_size = 1000;
	assert_true(start(&r, offload, 10));
	gather(&cut.segment);
	r.len = cut.segment.len;
	assert_true(reference_right(&r, got));
}

/* A frame whose bytes @at is @value instead. */
static bool cuts_with(const struct reference *as, size_t at, uint8_t value)
{
	struct reference r = *as;
	struct net_offload offload;

	reference_make(&r, frame, payload);
	offload = partial(&r);
	offload.flags |= r.v6 ? NET_TSO6 : NET_TSO4;
	offload.gso_size = 1000;
	frame[at] = value;
	return start(&r, offload, 20);
}

static void test_headers_refused(void **state)
{
	struct reference v4 = {.protocol = 6, .payload = 3000};
	struct reference v6 = {.protocol = 6, .payload = 3000, .v6 = true, .ip_extra = 8};
	struct reference tag = {.protocol = 6, .payload = 3000, .vlan = true};

	(void)state;
	assert_true(cuts_with(&v4, 0, 2));
	assert_false(cuts_with(&v4, 12, 0x86));	     /* a type that is no IP */
	assert_false(cuts_with(&tag, 16, 0x81));     /* a second tag */
	assert_false(cuts_with(&v4, 14, 0x65));	     /* version 6 */
	assert_false(cuts_with(&v4, 14, 0x46));	     /* TCP is elsewhere */
	assert_false(cuts_with(&v4, 14 + 6, 0x20));  /* a fragment, of which more come */
	assert_false(cuts_with(&v4, 14 + 7, 1));     /* one that is not the first */
	assert_false(cuts_with(&v4, 14 + 9, 17));    /* UDP */
	assert_false(cuts_with(&v4, 34 + 12, 0x40)); /* TCP's header is too short */
	assert_true(cuts_with(&v6, 0, 2));
	assert_true(cuts_with(&v6, 14 + 6, 0));	   /* hop by hop */
	assert_false(cuts_with(&v6, 14 + 6, 44));  /* fragment */
	assert_false(cuts_with(&v6, 14 + 6, 43));  /* routing */
	assert_false(cuts_with(&v6, 14 + 41, 1));  /* an extension that reaches over TCP */
	assert_false(cuts_with(&v6, 14 + 40, 60)); /* one more, where TCP should be */
	assert_false(cuts_with(&v6, 14, 0x40));	   /* version 4 */
	assert_false(cuts_with(&v6, 13, 0));	   /* no IPv6 */
	v4.payload = 0;
	assert_false(cuts_with(&v4, 34 + 12, 0xf0)); /* options that are not there */
	v6.ip_extra = 160;
	assert_false(cuts_with(&v6, 0, 2)); /* more headers than we look at */
}

static void test_sizes_refused(void **state)
{
	struct reference r = {.protocol = 6, .payload = 2050 * 8};
	struct net_offload offload;

	(void)state;
	reference_make(&r, frame, payload);
	offload = partial(&r);
	offload.flags |= NET_TSO4;
	offload.gso_size = 16;
	assert_false(start(&r, offload, 0)); /* more than 1024 */
	offload.gso_size = 17;
	assert_true(start(&r, offload, 0));
	r.payload = 65535 - 39; /* IPv4 cannot say that */
	reference_make(&r, frame, payload);
	offload.gso_size = 65535;
	assert_false(start(&r, offload, 0));
	offload.gso_size = 65495;
	assert_true(start(&r, offload, 0));
	offload.csum_offset = 15; /* that is not TCP's */
	assert_false(start(&r, offload, 0));
	/* A sum further in than we look. */
	offload = (struct net_offload){.flags = NET_CSUM_PARTIAL, .csum_start = 14};
	offload.csum_offset = NET_CUT_HEADERS - 16;
	assert_true(start(&r, offload, 0));
	offload.csum_offset++;
	assert_false(start(&r, offload, 0));
	/* Cut off within the header of TCP. */
	offload = partial(&r);
	offload.flags |= NET_TSO4;
	offload.gso_size = 1000;
	for (r.len = r.l4 + 18; r.len < r.data; r.len++)
		assert_false(start(&r, offload, 0));
	assert_true(start(&r, offload, 0));
	assert_int_equal(gather(&cut.segment), r.data);
	assert_false(net_cut_next(&cut));
}

static bool valid(uint8_t flags, uint16_t csum_start, uint16_t csum_offset, uint16_t gso_size)
{
	struct net_piece piece = {frame, 100};

	return net_offload_valid(
		&(struct net_frame){&piece, 1, 100, {flags, csum_start, csum_offset, gso_size}});
}

static void test_valid(void **state)
{
	(void)state;
	assert_true(valid(0, 9999, 9999, 0));
	assert_true(valid(NET_CSUM_VALID, 9999, 9999, 0));
	assert_true(valid(NET_CSUM_PARTIAL, 34, 16, 0));
	assert_true(valid(NET_CSUM_PARTIAL, 34, 64, 0));
	assert_false(valid(NET_CSUM_PARTIAL, 34, 65, 0));
	assert_false(valid(NET_CSUM_PARTIAL, 65535, 65535, 0));
	assert_false(valid(NET_CSUM_PARTIAL, 13, 6, 0));
	assert_false(valid(NET_TSO4, 34, 16, 100));
	assert_false(valid(NET_CSUM_PARTIAL | NET_TSO4, 34, 16, 0));
	assert_false(valid(NET_CSUM_PARTIAL | NET_TSO4 | NET_TSO6, 34, 16, 100));
	assert_false(valid(NET_CSUM_PARTIAL | NET_TSO_ECN, 34, 16, 100));
	assert_true(valid(NET_CSUM_PARTIAL | NET_TSO6 | NET_TSO_ECN, 34, 16, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_one_sum),
		cmocka_unit_test(test_zero_sum),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_pseudo_header_of_others),
		cmocka_unit_test(test_headers_refused),
		cmocka_unit_test(test_sizes_refused),
		cmocka_unit_test(test_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
