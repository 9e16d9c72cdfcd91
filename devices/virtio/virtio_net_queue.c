/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of virtio-net, each behind a header (VIRTIO 1.2, 5.1.6.2 to 5.1.6.4). */
#include "devices/virtio/virtio_net.h"

#include <string.h>

#define VIRTIO_NET_HDR_NEEDS_CSUM 1
#define VIRTIO_NET_HDR_DATA_VALID 2

#define VIRTIO_NET_GSO_NONE  0
#define VIRTIO_NET_GSO_TCPV4 1
#define VIRTIO_NET_GSO_TCPV6 4
#define VIRTIO_NET_GSO_ECN   0x80

#define TCP_HEADER 20
#define TCP_OFFSET 12

/* Of one turn, before others get the CPU: the rest is the worker's. */
#define VIRTIO_NET_TURN_FRAMES 64u
#define VIRTIO_NET_TURN_BYTES  (256u << 10)

/* From the guest. */

/* What the header leaves to others; false: what was not agreed on, or is not known. */
static bool virtio_net_offload(const struct virtio_net *net, const struct virtio_net_header *header,
			       struct net_offload *offload)
{
	uint64_t needed = 0;

	*offload = (struct net_offload){0};
	if (header->flags & VIRTIO_NET_HDR_NEEDS_CSUM) {
		needed |= VIRTIO_NET_F_CSUM;
		offload->flags |= NET_CSUM_PARTIAL;
		offload->csum_start = header->csum_start;
		offload->csum_offset = header->csum_offset;
	}
	if (header->gso_type != VIRTIO_NET_GSO_NONE) {
		offload->gso_size = header->gso_size;
		switch (header->gso_type & ~VIRTIO_NET_GSO_ECN) {
		case VIRTIO_NET_GSO_TCPV4:
			needed |= VIRTIO_NET_F_HOST_TSO4;
			offload->flags |= NET_TSO4;
			break;
		case VIRTIO_NET_GSO_TCPV6:
			needed |= VIRTIO_NET_F_HOST_TSO6;
			offload->flags |= NET_TSO6;
			break;
		default:
			return false;
		}
	}
	if (header->gso_type & VIRTIO_NET_GSO_ECN) {
		needed |= VIRTIO_NET_F_HOST_ECN;
		offload->flags |= NET_TSO_ECN;
	}
	return !(needed & ~net->virtio.features);
}

/* Where answers to this frame shall come in. */
static void virtio_net_learn_flow(struct virtio_net_tx *tx, const struct net_frame *frame)
{
	struct virtio_net *net = tx->net;
	struct virtio_net_look look;

	if (READ_ONCE(net->pairs) == 1)
		return;
	virtio_net_look(frame, &look);
	WRITE_ONCE(net->flows[virtio_net_flow(&look)], (uint8_t)(tx->virtq->index / 2));
}

/* False: the backend does not take it now. */
static bool virtio_net_send(struct virtio_net_tx *tx, struct virtq_span *out)
{
	struct net_frontend *frontend = &tx->net->frontend;
	const struct net_backend_ops *backend;
	struct virtio_net_header header;
	struct net_frame frame;
	bool taken;

	if (virtq_span_read(out, &header, sizeof(header)) < sizeof(header) ||
	    !virtio_net_offload(tx->net, &header, &frame.offload)) {
		tx->bad++;
		return true;
	}
	frame.pieces = &out->pieces->net;
	frame.piece_count = out->count;
	frame.len = out->bytes;
	virtio_net_learn_flow(tx, &frame);
	spin_lock(&frontend->base.lock);
	backend = unlikely(READ_ONCE(tx->net->twin)) ? NULL : net_backend(frontend);
	taken = !backend || backend->send(frontend->base.backend_opaque, &frame);
	spin_unlock(&frontend->base.lock);
	if (taken) {
		tx->frames++;
		tx->bytes += frame.len;
	}
	return taken;
}

/* Under the queue's lock. The driver's CPU is here itself: it need not be told not to notify, but
 * where the rest is for later. */
static void virtio_net_tx_serve(struct virtio_net_tx *tx)
{
	struct virtq_chain chain = {.pieces = tx->pieces, .room = VIRTIO_NET_PIECES};
	unsigned frames = 0, bytes = 0;

	do {
		while (!tx->stalled && frames < VIRTIO_NET_TURN_FRAMES &&
		       bytes < VIRTIO_NET_TURN_BYTES && virtq_pop(tx->virtq, &chain) > 0) {
			frames++;
			bytes += MIN(chain.out.bytes, VIRTIO_NET_TURN_BYTES);
			tx->stalled = !virtio_net_send(tx, &chain.out);
			if (tx->stalled)
				virtq_unpop(tx->virtq, &chain);
			else
				virtq_push(tx->virtq, &chain, 0);
		}
		virtq_flush(tx->virtq);
		if (!tx->stalled && frames < VIRTIO_NET_TURN_FRAMES &&
		    bytes < VIRTIO_NET_TURN_BYTES)
			continue;
		virtq_disarm(tx->virtq);
		if (!tx->stalled)
			virtq_kick(tx->virtq);
		return;
	} while (virtq_arm(tx->virtq));
}

void virtio_net_tx_notify(struct virtio_net_tx *tx)
{
	spin_lock(&tx->virtq->lock);
	tx->turns++;
	if (!tx->stalled)
		virtio_net_tx_serve(tx);
	spin_unlock(&tx->virtq->lock);
}

void virtio_net_send_ready(void *opaque)
{
	struct virtio_net *net = opaque;
	unsigned i;

	for (i = 0; i < net->max_pairs; i++) {
		struct virtio_net_tx *tx = &net->queues[i]->tx;

		spin_lock(&tx->virtq->lock);
		if (tx->stalled)
			virtq_kick(tx->virtq);
		tx->stalled = false;
		spin_unlock(&tx->virtq->lock);
	}
}

/* To the guest. */

static uint8_t virtio_net_byte(const struct net_frame *frame, size_t at)
{
	size_t i;

	for (i = 0; i < frame->piece_count; at -= frame->pieces[i++].len)
		if (at < frame->pieces[i].len)
			return frame->pieces[i].data[at];
	return 0;
}

/* Of a frame that is to be cut, how long its headers are; they may be nonsense. */
static uint16_t virtio_net_header_len(const struct net_frame *frame)
{
	size_t tcp = frame->offload.csum_start;
	size_t len = (virtio_net_byte(frame, tcp + TCP_OFFSET) >> 4) * 4u;

	return (uint16_t)MIN(tcp + MAX(len, (size_t)TCP_HEADER), frame->len);
}

static void virtio_net_describe(const struct virtio_net *net, const struct net_frame *frame,
				struct virtio_net_header *header)
{
	const struct net_offload *offload = &frame->offload;

	*header = (struct virtio_net_header){0};
	if (offload->flags & NET_CSUM_PARTIAL) {
		header->flags = VIRTIO_NET_HDR_NEEDS_CSUM;
		header->csum_start = offload->csum_start;
		header->csum_offset = offload->csum_offset;
	} else if (offload->flags & NET_CSUM_VALID &&
		   READ_ONCE(net->frontend.takes) & NET_CSUM_PARTIAL) {
		header->flags = VIRTIO_NET_HDR_DATA_VALID;
	}
	if (!(offload->flags & (NET_TSO4 | NET_TSO6)))
		return;
	header->gso_type = offload->flags & NET_TSO4 ? VIRTIO_NET_GSO_TCPV4 : VIRTIO_NET_GSO_TCPV6;
	if (offload->flags & NET_TSO_ECN)
		header->gso_type |= VIRTIO_NET_GSO_ECN;
	header->gso_size = offload->gso_size;
	header->hdr_len = virtio_net_header_len(frame);
}

/* Where the next byte goes; NULL: there is no place for it. */
static uint8_t *virtio_net_skip(struct virtq_span *span)
{
	static const uint8_t zero;
	uint8_t *at = span->count ? span->pieces->data : NULL;

	virtq_span_write(span, &zero, sizeof(zero));
	return at;
}

/* What is left of a frame to copy. */
struct virtio_net_rest {
	const struct net_piece *piece;
	size_t at, len; /* within the piece; of all */
};

/* As much as there is room for; how many bytes. */
static uint32_t virtio_net_copy(struct virtio_net_rest *rest, struct virtq_span *in)
{
	size_t n, done = 0;

	while (rest->len && in->count) {
		n = virtq_span_write(in, rest->piece->data + rest->at, rest->piece->len - rest->at);
		rest->at += n;
		rest->len -= n;
		done += n;
		if (rest->at == rest->piece->len) {
			rest->piece++;
			rest->at = 0;
		}
	}
	return (uint32_t)done;
}

static void virtio_net_unpop(struct virtio_net_rx *rx, unsigned count)
{
	while (count--)
		virtq_unpop(rx->virtq, &rx->chains[count]);
}

/* The next chain of buffers; false: there is none, and the driver will notify when there is. */
static bool virtio_net_rx_pop(struct virtio_net_rx *rx, struct virtq_chain *chain)
{
	chain->pieces = rx->pieces;
	chain->room = VIRTIO_NET_PIECES;
	if (virtq_pop(rx->virtq, chain) > 0)
		return true;
	if (!virtq_arm(rx->virtq))
		return false;
	if (virtq_pop(rx->virtq, chain) > 0)
		return true;
	/* It is there and it is not. */
	virtq_kick(rx->virtq);
	return false;
}

enum virtio_net_fate { VIRTIO_NET_GIVEN, VIRTIO_NET_WAITS, VIRTIO_NET_DROPPED };

/* The header, of which only the driver's number of buffers is not known yet: @count, where that
 * goes. False: there is no room for it. */
static bool virtio_net_put_header(struct virtio_net_rx *rx, const struct net_frame *frame,
				  struct virtq_span *in, uint8_t *count[2])
{
	struct virtio_net_header header;

	virtio_net_describe(rx->net, frame, &header);
	virtq_span_write(in, &header, offsetof(struct virtio_net_header, num_buffers));
	count[0] = virtio_net_skip(in);
	count[1] = virtio_net_skip(in);
	return count[1];
}

/* Copies the frame to so many chains as it takes, which are not given back yet. */
static enum virtio_net_fate virtio_net_fill(struct virtio_net_rx *rx, const struct net_frame *frame,
					    unsigned *chains)
{
	unsigned most = rx->net->virtio.features & VIRTIO_NET_F_MRG_RXBUF ? VIRTIO_NET_BUFFERS : 1;
	struct virtio_net_rest rest = {frame->pieces, 0, frame->len};
	uint8_t *count[2] = {NULL, NULL};
	unsigned n = 0;

	do {
		struct virtq_chain *chain = &rx->chains[n];

		*chains = n;
		if (n == most)
			return VIRTIO_NET_DROPPED;
		if (!virtio_net_rx_pop(rx, chain))
			return VIRTIO_NET_WAITS;
		*chains = ++n;
		if (n == 1 && !virtio_net_put_header(rx, frame, &chain->in, count))
			return VIRTIO_NET_DROPPED;
		rx->written[n - 1] = virtio_net_copy(&rest, &chain->in);
	} while (rest.len);
	rx->written[0] += sizeof(struct virtio_net_header);
	*count[0] = (uint8_t)n;
	*count[1] = 0;
	return VIRTIO_NET_GIVEN;
}

/* Whether there is a driver that could give buffers for the frame. */
static bool virtio_net_rx_can(const struct virtio_net_rx *rx, const struct net_frame *frame)
{
	const struct virtio *v = &rx->net->virtio;

	return rx->virtq->live && virtio_running(v) && host_device_may_dma(v->hd) &&
	       !(frame->offload.flags & NET_TODO & ~READ_ONCE(rx->net->frontend.takes));
}

/* Under the queue's lock. */
static enum virtio_net_fate virtio_net_deliver(struct virtio_net_rx *rx,
					       const struct net_frame *frame)
{
	enum virtio_net_fate fate;
	unsigned chains, i;

	if (!virtio_net_rx_can(rx, frame))
		return VIRTIO_NET_DROPPED;
	virtq_disarm(rx->virtq);
	fate = virtio_net_fill(rx, frame, &chains);
	if (fate != VIRTIO_NET_GIVEN) {
		virtio_net_unpop(rx, chains);
		/* The driver broke a rule while it was looked at: no buffers will come. */
		return virtio_running(&rx->net->virtio) ? fate : VIRTIO_NET_DROPPED;
	}
	for (i = 0; i < chains; i++)
		virtq_push(rx->virtq, &rx->chains[i], rx->written[i]);
	virtq_flush(rx->virtq);
	rx->frames++;
	rx->bytes += frame->len;
	return fate;
}

static struct virtio_net_rx *virtio_net_choose(struct virtio_net *net,
					       const struct virtio_net_look *look)
{
	unsigned pair = 0, pairs = READ_ONCE(net->pairs);

	if (pairs > 1)
		pair = READ_ONCE(net->flows[virtio_net_flow(look)]) % pairs;
	return &net->queues[pair]->rx;
}

bool virtio_net_receive(void *opaque, const struct net_frame *frame)
{
	struct virtio_net *net = opaque;
	enum virtio_net_fate fate;
	struct virtio_net_look look;
	struct virtio_net_rx *rx;

	virtio_net_look(frame, &look);
	if (unlikely(READ_ONCE(net->twin)) || !virtio_net_filter_passes(&net->filter, &look)) {
		__atomic_add_fetch(&net->filtered, 1, __ATOMIC_RELAXED);
		return true;
	}
	rx = virtio_net_choose(net, &look);
	spin_lock(&rx->virtq->lock);
	fate = virtio_net_deliver(rx, frame);
	rx->stalled = fate == VIRTIO_NET_WAITS;
	rx->dropped += fate == VIRTIO_NET_DROPPED;
	spin_unlock(&rx->virtq->lock);
	return fate != VIRTIO_NET_WAITS;
}

/* There are buffers, or nobody will give any. */
static void virtio_net_rx_unstall(struct virtio_net_rx *rx)
{
	struct net_frontend *frontend = &rx->net->frontend;
	const struct net_backend_ops *backend;
	bool stalled;

	spin_lock(&rx->virtq->lock);
	stalled = rx->stalled;
	rx->stalled = false;
	spin_unlock(&rx->virtq->lock);
	if (!stalled)
		return;
	spin_lock(&frontend->base.lock);
	backend = net_backend(frontend);
	if (backend)
		backend->receive_ready(frontend->base.backend_opaque);
	spin_unlock(&frontend->base.lock);
}

void virtio_net_rx_notify(struct virtio_net_rx *rx)
{
	virtio_net_rx_unstall(rx);
}

void virtio_net_unstall(struct virtio_net *net)
{
	unsigned i;

	for (i = 0; i < net->max_pairs; i++) {
		struct virtio_net_tx *tx = &net->queues[i]->tx;

		virtio_net_rx_unstall(&net->queues[i]->rx);
		spin_lock(&tx->virtq->lock);
		tx->stalled = false;
		spin_unlock(&tx->virtq->lock);
	}
}
