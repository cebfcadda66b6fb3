/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A NIC's front end makes requests, some of which the back end must refuse or
 * defer.
 */

#include "front_end.h"

#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/io/netif.h>

static struct front_end nic;
static netif_tx_front_ring_t ring;

static void connect_nic(struct front_end *device, unsigned int index,
                        void *send, void *receive)
{
    if (!front_end_find(device, "vif", index)) {
        test_skip("no NIC");
    }
    require(back_end_reaches(device, XenbusStateInitWait));
    require(
        front_end_write_number(device, "/tx-ring-ref", grant_page(0, send)));
    require(
        front_end_write_number(device, "/rx-ring-ref", grant_page(0, receive)));
    require(front_end_write_number(device, "/event-channel", device->port));
    require(front_end_write_number(device, "/request-rx-copy", 1));
    require(front_end_write_number(device, "/state", XenbusStateConnected));
    require(back_end_reaches(device, XenbusStateConnected));
}

/* Connect a ring with the same short packet in all slots. */
static void connect(void)
{
    netif_tx_sring_t *shared = page_alloc(1);
    netif_rx_sring_t *receive = page_alloc(1);
    grant_ref_t packet = grant_page(0, page_alloc(1));
    unsigned int i;

    SHARED_RING_INIT(shared);
    SHARED_RING_INIT(receive);
    FRONT_RING_INIT(&ring, shared, PAGE_SIZE);
    for (i = 0; i < RING_SIZE(&ring); i++) {
        *RING_GET_REQUEST(&ring, i) = (netif_tx_request_t){
            .gref = packet,
            .size = 60,
        };
    }
    connect_nic(&nic, 0, shared, receive);
}

static void offer(RING_IDX produced)
{
    __atomic_store_n(&ring.sring->req_prod, produced, __ATOMIC_SEQ_CST);
}

static RING_IDX answered(void)
{
    return __atomic_load_n(&ring.sring->rsp_prod, __ATOMIC_SEQ_CST);
}

TEST(nic_sends, "hvm pvh nics=1 tcg lab kvm alone")
{
    connect();
    offer(3);
    evtchn_send(nic.port);
    require(wait_for(answered() == 3, 5000));
    /* A response is in the slot of its request. */
    check_equal(RING_GET_RESPONSE(&ring, 2)->status, NETIF_RSP_OKAY);
}

/* req_prod is beyond the ring, so it names the same few packets many times. */
TEST(nic_requests_beyond_the_ring, "hvm pvh nics=1 tcg lab kvm alone")
{
    connect();
    offer((RING_IDX)1 << 31);
    evtchn_send(nic.port);
    spin_for(500);
    check_equal(answered(), 0);
}

static volatile bool stop;

static void refill(void *opaque)
{
    const netif_tx_request_t *packet = opaque;
    RING_IDX produced = RING_SIZE(&ring);

    while (!stop) {
        RING_IDX done = answered(), before = produced;

        /* The response has overwritten the request: write it again. */
        while (produced - done < RING_SIZE(&ring)) {
            *RING_GET_REQUEST(&ring, produced) = *packet;
            offer(++produced);
        }
        /* Only if the back end waits for it, as a hypercall takes long. */
        xen_mb();
        if (produced - ring.sring->req_event < produced - before) {
            evtchn_send(nic.port);
        }
    }
}

/* QEMU must do other work, too, while a ring is never empty. */
TEST(nic_ring_refilled_without_end,
     "hvm pvh vcpus=2 nics=1 tcg lab kvm alone seconds=30")
{
    netif_tx_request_t packet;
    unsigned int i;

    connect();
    packet = *RING_GET_REQUEST(&ring, 0);
    offer(RING_SIZE(&ring));
    evtchn_send(nic.port);
    stop = false;
    vcpu_start(1, refill, &packet);
    require(wait_for(answered() > RING_SIZE(&ring), 5000));
    for (i = 0; i < 20; i++) {
        check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");
    }
    stop = true;
    check(vcpu_join(1, 5000));
}

/* Packets of several slots -------------------------------------------------- */

#define FRAME_SIZE 1400
#define NR_BUFFERS 32

static struct front_end receiver;
static netif_rx_front_ring_t frames;
static uint8_t *buffers[NR_BUFFERS];
static uint8_t frame[FRAME_SIZE];

/* The second NIC, at the other end of the wire, and a frame to send there. */
static void connect_receiver(void)
{
    netif_tx_sring_t *send = page_alloc(1);
    netif_rx_sring_t *shared = page_alloc(1);
    unsigned int i;

    SHARED_RING_INIT(send);
    SHARED_RING_INIT(shared);
    FRONT_RING_INIT(&frames, shared, PAGE_SIZE);
    for (i = 0; i < NR_BUFFERS; i++) {
        buffers[i] = page_alloc(1);
        *RING_GET_REQUEST(&frames, i) = (netif_rx_request_t){
            .id = i,
            .gref = grant_page(0, buffers[i]),
        };
    }
    shared->req_prod = NR_BUFFERS;
    connect_nic(&receiver, 1, send, shared);
    for (i = 0; i < FRAME_SIZE; i++) {
        frame[i] = i < 6 ? 0xff : i * 7 + i / 256;
    }
}

/* The next frame that came over the wire is ours, or its beginning. */
static void check_frame(unsigned int size)
{
    const netif_rx_response_t *response;

    if (!check(wait_for(frames.sring->rsp_prod != frames.rsp_cons, 5000))) {
        return;
    }
    response = RING_GET_RESPONSE(&frames, frames.rsp_cons++);
    check_equal(response->status, size);
    check(!memcmp(buffers[response->id] + response->offset, frame, size));
}

/* A slot with @size bytes of the frame, from its byte @from on. */
static netif_tx_request_t slot_of(unsigned int from, unsigned int size,
                                  unsigned int offset, uint16_t flags)
{
    uint8_t *page = page_alloc(1);

    memcpy(page + offset, frame + from, size);
    return (netif_tx_request_t){
        .gref = grant_page(0, page),
        .offset = offset,
        .size = size,
        .flags = flags,
    };
}

static void put(netif_tx_request_t slot)
{
    *RING_GET_REQUEST(&ring, ring.req_prod_pvt++) = slot;
}

static void put_extra(uint8_t type, uint8_t flags)
{
    netif_extra_info_t *extra =
        (void *)RING_GET_REQUEST(&ring, ring.req_prod_pvt++);

    memset(extra, 0, sizeof(*extra));
    extra->type = type;
    extra->flags = flags;
}

/* Only if the back end asks for it. */
static void push(void)
{
    int notify;

    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&ring, notify);
    if (notify) {
        evtchn_send(nic.port);
    }
}

/* The next answer. */
static void check_status(int status)
{
    if (check(wait_for(answered() != ring.rsp_cons, 5000))) {
        check_equal(RING_GET_RESPONSE(&ring, ring.rsp_cons++)->status, status);
    }
}

/* A packet in one slot comes over the wire: nothing is left of those before. */
static void check_short_frame(void)
{
    put(slot_of(0, 100, 0, 0));
    push();
    check_status(NETIF_RSP_OKAY);
    check_frame(100);
}

/* The first slot has the size of all, and its own data up to the page's end. */
static netif_tx_request_t first_of(unsigned int size, unsigned int in_page,
                                   uint16_t flags)
{
    netif_tx_request_t slot = slot_of(0, in_page, PAGE_SIZE - in_page, flags);

    slot.size = size;
    return slot;
}

TEST(nic_packet_of_several_slots, "hvm pvh nics=2 tcg lab kvm alone")
{
    unsigned int i;

    connect();
    connect_receiver();
    put(first_of(FRAME_SIZE, 100, NETTXF_more_data));
    put(slot_of(100, 1000, 0, NETTXF_more_data));
    put(slot_of(1100, 300, 50, 0));
    push();
    for (i = 0; i < 3; i++) {
        check_status(NETIF_RSP_OKAY);
    }
    check_frame(FRAME_SIZE);
    check_short_frame();
}

/* The back end asks to be told of what is missing. */
TEST(nic_packet_slot_by_slot, "hvm pvh nics=2 tcg lab kvm alone")
{
    unsigned int i;

    connect();
    connect_receiver();
    for (i = 0; i < 14; i++) {
        put(i ? slot_of(i * 100, 100, i * 10, i < 13 ? NETTXF_more_data : 0) :
                first_of(FRAME_SIZE, 100, NETTXF_more_data));
        push();
        spin_for(20);
    }
    for (i = 0; i < 14; i++) {
        check_status(NETIF_RSP_OKAY);
    }
    check_frame(FRAME_SIZE);
    check_short_frame();
}

TEST(nic_packet_with_a_hash, "hvm pvh nics=2 tcg lab kvm alone")
{
    connect();
    connect_receiver();
    put(slot_of(0, 100, 0, NETTXF_extra_info));
    put_extra(XEN_NETIF_EXTRA_TYPE_HASH, 0);
    push();
    check_status(NETIF_RSP_OKAY);
    check_status(NETIF_RSP_NULL);
    check_frame(100);
    put(first_of(FRAME_SIZE, 500, NETTXF_extra_info | NETTXF_more_data));
    put_extra(XEN_NETIF_EXTRA_TYPE_HASH, 0);
    put(slot_of(500, 900, 0, 0));
    push();
    check_status(NETIF_RSP_OKAY);
    check_status(NETIF_RSP_NULL);
    check_status(NETIF_RSP_OKAY);
    check_frame(FRAME_SIZE);
    check_short_frame();
}

static void page_crossing(void)
{
    netif_tx_request_t slot = slot_of(100, 1300, 0, 0);

    slot.offset = 3000;
    put(first_of(FRAME_SIZE, 100, NETTXF_more_data));
    put(slot);
}

static void first_page_crossing(void)
{
    put(first_of(FRAME_SIZE, 100, NETTXF_more_data));
    put(slot_of(200, 1200, 0, 0));
}

static void larger_than_the_packet(void)
{
    put(first_of(500, 100, NETTXF_more_data));
    put(slot_of(100, 600, 0, 0));
}

static void no_such_grant(void)
{
    netif_tx_request_t slot = slot_of(100, 1300, 0, 0);

    slot.gref = 0x7fffffff;
    put(first_of(FRAME_SIZE, 100, NETTXF_more_data));
    put(slot);
}

static void no_header(void)
{
    put(first_of(13, 5, NETTXF_more_data));
    put(slot_of(5, 8, 0, 0));
}

static void segmentation(void)
{
    put(slot_of(0, 500, 0, NETTXF_extra_info));
    put_extra(XEN_NETIF_EXTRA_TYPE_GSO, 0);
}

static void too_many_slots(void)
{
    unsigned int i;

    put(first_of(FRAME_SIZE, 100, NETTXF_more_data));
    for (i = 1; i < 130; i++) {
        put(slot_of(100 + i * 10, 10, 0, i < 129 ? NETTXF_more_data : 0));
    }
}

/* Each is an error in whole; the frame after it is what comes next. */
TEST(nic_packets_refused, "hvm pvh nics=2 tcg lab kvm alone")
{
    static const struct {
        const char *name;
        void (*put)(void);
        int extra; /* the slot that is one, or 0 */
    } packets[] = {
        { "page crossing", page_crossing, 0 },
        { "page crossing of the first slot", first_page_crossing, 0 },
        { "slots larger than the packet", larger_than_the_packet, 0 },
        { "no such grant", no_such_grant, 0 },
        { "no Ethernet header", no_header, 0 },
        { "segmentation offload", segmentation, 1 },
        { "too many slots", too_many_slots, 0 },
    };
    unsigned int i, slot, nr;

    connect();
    connect_receiver();
    for (i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        test_row(packets[i].name);
        packets[i].put();
        nr = ring.req_prod_pvt - ring.rsp_cons;
        push();
        for (slot = 0; slot < nr; slot++) {
            check_status(slot && slot == (unsigned int)packets[i].extra ?
                             NETIF_RSP_NULL :
                             NETIF_RSP_ERROR);
        }
        check_short_frame();
    }
}
