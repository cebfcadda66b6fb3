/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A NIC's front end makes requests, some of which the back end must refuse or
 * defer.
 */

#include "nic.h"

/* Connect a ring with the same short packet in all slots. */
static void connect(void)
{
    grant_ref_t packet = grant_page(0, page_alloc(1));
    unsigned int i;

    sender_connect();
    for (i = 0; i < RING_SIZE(&sender_ring); i++) {
        *RING_GET_REQUEST(&sender_ring, i) = (netif_tx_request_t){
            .gref = packet,
            .size = 60,
        };
    }
}

static void offer(RING_IDX produced)
{
    __atomic_store_n(&sender_ring.sring->req_prod, produced, __ATOMIC_SEQ_CST);
}

static RING_IDX answered(void)
{
    return __atomic_load_n(&sender_ring.sring->rsp_prod, __ATOMIC_SEQ_CST);
}

TEST(nic_sends, "hvm pvh nics=1 tcg lab kvm alone")
{
    connect();
    offer(3);
    evtchn_send(sender.port);
    require(wait_for(answered() == 3, 5000));
    /* A response is in the slot of its request. */
    check_equal(RING_GET_RESPONSE(&sender_ring, 2)->status, NETIF_RSP_OKAY);
}

/* req_prod is beyond the ring, so it names the same few packets many times. */
TEST(nic_requests_beyond_the_ring, "hvm pvh nics=1 tcg lab kvm alone")
{
    connect();
    offer((RING_IDX)1 << 31);
    evtchn_send(sender.port);
    spin_for(500);
    check_equal(answered(), 0);
}

static volatile bool stop;

#define NR_PATTERN 16

/* Keep the ring full of these slots. */
static void refill(void *opaque)
{
    const netif_tx_request_t *pattern = opaque;
    RING_IDX produced = RING_SIZE(&sender_ring);

    while (!stop) {
        RING_IDX done = answered(), before = produced;

        /* The response has overwritten the request: write it again. */
        while (produced - done < RING_SIZE(&sender_ring)) {
            *RING_GET_REQUEST(&sender_ring, produced) =
                pattern[produced % NR_PATTERN];
            offer(++produced);
        }
        /* Only if the back end waits for it, as a hypercall takes long. */
        xen_mb();
        if (produced - sender_ring.sring->req_event < produced - before) {
            evtchn_send(sender.port);
        }
    }
}

/*
 * QEMU does other work, too, while a ring is never empty: XenStore, which is in
 * the same main loop, answers.
 */
static void check_other_work(netif_tx_request_t *pattern, unsigned int requests)
{
    unsigned int i;

    for (i = 0; i < RING_SIZE(&sender_ring); i++) {
        *RING_GET_REQUEST(&sender_ring, i) = pattern[i % NR_PATTERN];
    }
    offer(RING_SIZE(&sender_ring));
    evtchn_send(sender.port);
    stop = false;
    vcpu_start(1, refill, pattern);
    require(wait_for(answered() >= NR_PATTERN, 5000));
    for (i = 0; i < requests; i++) {
        check_answer(xenstore_ask_path(XS_READ, 0, "data"), "OK");
    }
    stop = true;
    check(vcpu_join(1, 5000));
}

TEST(nic_ring_refilled_without_end,
     "hvm pvh vcpus=2 nics=1 tcg lab kvm alone seconds=30")
{
    netif_tx_request_t pattern[NR_PATTERN];
    unsigned int i;

    connect();
    for (i = 0; i < NR_PATTERN; i++) {
        pattern[i] = *RING_GET_REQUEST(&sender_ring, 0);
    }
    check_other_work(pattern, 20);
}

/* Each packet makes some 60,000 frames. */
TEST(nic_segments_of_one_byte,
     "hvm pvh vcpus=2 nics=1 tcg lab kvm alone seconds=60")
{
    static const uint8_t header[54] = {
        [12] = 8,
        [14] = 0x45,
        [23] = 6,
        [46] = 0x50,
    };
    netif_extra_info_t one_byte = {
        .type = XEN_NETIF_EXTRA_TYPE_GSO,
        .u.gso = { .type = XEN_NETIF_GSO_TYPE_TCPV4, .size = 1 },
    };
    netif_tx_request_t pattern[NR_PATTERN];
    unsigned int i;

    sender_connect();
    pattern[0] = slot_of(header, sizeof(header), 0,
                         NETTXF_extra_info | NETTXF_more_data);
    memcpy(&pattern[1], &one_byte, sizeof(one_byte));
    for (i = 2; i < NR_PATTERN; i++) {
        pattern[i] = pattern[0];
        pattern[i].size = PAGE_SIZE;
        pattern[i].flags = i + 1 < NR_PATTERN ? NETTXF_more_data : 0;
    }
    pattern[0].size = sizeof(header) + (NR_PATTERN - 2) * PAGE_SIZE;
    check_other_work(pattern, 5);
}

/* Packets that are refused -------------------------------------------------- */

#define FRAME_SIZE 1400

static uint8_t frame[FRAME_SIZE];

static void connect_both(void)
{
    unsigned int i;

    for (i = 0; i < FRAME_SIZE; i++) {
        frame[i] = i < 6 ? 0xff : i * 7 + i / 256;
    }
    sender_connect();
    receiver_connect(NR_BUFFERS, NULL);
}

/* A packet in one slot comes over the wire: nothing is left of those before. */
static void check_short_frame(void)
{
    put_packet(frame, 100, 100, 0, NULL);
    check_answers(NETIF_RSP_OKAY);
    check_packet(frame, 100);
}

/* A slot with @size bytes of the frame, from its byte @from on. */
static netif_tx_request_t part(unsigned int from, unsigned int size,
                               unsigned int offset, uint16_t flags)
{
    return slot_of(frame + from, size, offset, flags);
}

/* The first slot has the size of all, and its own data up to the page's end. */
static netif_tx_request_t first_of(unsigned int size, unsigned int in_page,
                                   uint16_t flags)
{
    netif_tx_request_t slot = part(0, in_page, PAGE_SIZE - in_page, flags);

    slot.size = size;
    return slot;
}

static void page_crossing(void)
{
    netif_tx_request_t slot = part(100, 1300, 0, 0);

    slot.offset = 3000;
    put_slot(first_of(FRAME_SIZE, 100, NETTXF_more_data));
    put_slot(slot);
}

static void first_page_crossing(void)
{
    put_slot(first_of(FRAME_SIZE, 100, NETTXF_more_data));
    put_slot(part(200, 1200, 0, 0));
}

static void larger_than_the_packet(void)
{
    put_slot(first_of(500, 100, NETTXF_more_data));
    put_slot(part(100, 600, 0, 0));
}

static void no_such_grant(void)
{
    netif_tx_request_t slot = part(100, 1300, 0, 0);

    slot.gref = 0x7fffffff;
    put_slot(first_of(FRAME_SIZE, 100, NETTXF_more_data));
    put_slot(slot);
}

static void no_header(void)
{
    put_slot(first_of(13, 5, NETTXF_more_data));
    put_slot(part(5, 8, 0, 0));
}

static void extra_info(netif_extra_info_t extra)
{
    put_slot(part(0, 500, 0, NETTXF_extra_info));
    put_extra(extra);
}

static void segment(unsigned int type, unsigned int size)
{
    extra_info((netif_extra_info_t){ .type = XEN_NETIF_EXTRA_TYPE_GSO,
                                     .u.gso = { .type = type, .size = size } });
}

static void segments_of_no_type(void)
{
    segment(XEN_NETIF_GSO_TYPE_NONE, 100);
}

static void segments_of_unknown_type(void)
{
    segment(XEN_NETIF_GSO_TYPE_TCPV6 + 1, 100);
}

static void segments_of_size_0(void)
{
    segment(XEN_NETIF_GSO_TYPE_TCPV4, 0);
}

static void segments_of_no_tcp(void)
{
    segment(XEN_NETIF_GSO_TYPE_TCPV4, 100);
}

static void multicast(void)
{
    extra_info((netif_extra_info_t){ .type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD });
}

static void unknown_extra_info(void)
{
    extra_info((netif_extra_info_t){ .type = XEN_NETIF_EXTRA_TYPE_MAX });
}

static void checksum_of_no_ip(void)
{
    put_slot(part(0, 500, 0, NETTXF_csum_blank));
}

/* An IPv4 header with these words, in a frame of @size bytes. */
static void ip_header(unsigned int size, uint8_t header_words, uint16_t length,
                      uint16_t fragment, uint8_t protocol,
                      const netif_extra_info_t *gso)
{
    uint8_t *packet = page_alloc(1);

    memset(packet, 0xff, 6);
    packet[12] = 8;
    packet[14] = 0x40 | header_words;
    packet[16] = length >> 8;
    packet[17] = length;
    packet[20] = fragment >> 8;
    packet[21] = fragment;
    packet[23] = protocol;
    packet[46] = 0x50; /* TCP's own header has five words */
    put_packet(packet, size, size, NETTXF_csum_blank, gso);
}

static void checksum_of_icmp(void)
{
    ip_header(100, 5, 86, 0, 1, NULL);
}

static void checksum_of_a_fragment(void)
{
    ip_header(100, 5, 86, 0x2000, 6, NULL);
}

static void checksum_of_a_cut_datagram(void)
{
    ip_header(100, 5, 87, 0, 6, NULL);
}

static void checksum_beyond_the_datagram(void)
{
    ip_header(100, 5, 39, 0, 6, NULL);
}

static void ip_header_too_short(void)
{
    ip_header(100, 4, 86, 0, 6, NULL);
}

static const netif_extra_info_t tcp4_of_100 = {
    .type = XEN_NETIF_EXTRA_TYPE_GSO,
    .u.gso = { .type = XEN_NETIF_GSO_TYPE_TCPV4, .size = 100 },
};

static void segments_without_data(void)
{
    ip_header(54, 5, 40, 0, 6, &tcp4_of_100);
}

static void segments_of_udp(void)
{
    ip_header(500, 5, 486, 0, 17, &tcp4_of_100);
}

static void too_many_slots(void)
{
    unsigned int i;

    put_slot(first_of(FRAME_SIZE, 100, NETTXF_more_data));
    for (i = 1; i < 130; i++) {
        put_slot(part(100 + i * 10, 10, 0, i < 129 ? NETTXF_more_data : 0));
    }
}

/* Each is an error in whole; the frame after it is what comes next. */
TEST(nic_packets_refused, "hvm pvh nics=2 tcg lab kvm alone")
{
    static const struct {
        const char *name;
        void (*put)(void);
    } packets[] = {
        { "page crossing", page_crossing },
        { "page crossing of the first slot", first_page_crossing },
        { "slots larger than the packet", larger_than_the_packet },
        { "no such grant", no_such_grant },
        { "no Ethernet header", no_header },
        { "too many slots", too_many_slots },
        { "multicast", multicast },
        { "unknown extra info", unknown_extra_info },
        { "segments of no type", segments_of_no_type },
        { "segments of an unknown type", segments_of_unknown_type },
        { "segments of size 0", segments_of_size_0 },
        { "segments of what is no TCP", segments_of_no_tcp },
        { "segments without data", segments_without_data },
        { "segments of UDP", segments_of_udp },
        { "checksum of what is no IP", checksum_of_no_ip },
        { "checksum of ICMP", checksum_of_icmp },
        { "checksum of a fragment", checksum_of_a_fragment },
        { "checksum of a datagram that is cut", checksum_of_a_cut_datagram },
        { "checksum beyond the datagram", checksum_beyond_the_datagram },
        { "IP header too short", ip_header_too_short },
    };
    unsigned int i;

    connect_both();
    for (i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        test_row(packets[i].name);
        packets[i].put();
        check_answers(NETIF_RSP_ERROR);
        check_short_frame();
    }
}
