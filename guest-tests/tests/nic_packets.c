/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a NIC's front end may send, and what it receives: packets of several slots,
 * checksums and segments that are left to the back end.
 */

#include "nic.h"

#define SEGMENT 1400

static uint8_t packet[20000];

static void fill(unsigned int from, unsigned int size)
{
    unsigned int i;

    for (i = from; i < size; i++) {
        packet[i] = i * 7 + i / 256;
    }
}

static void put16(uint8_t *at, unsigned int value)
{
    at[0] = value >> 8;
    at[1] = value;
}

static unsigned int get16(const uint8_t *at)
{
    return at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* The sum of the 16-bit words, not yet inverted. */
static unsigned int sum16(unsigned int sum, const uint8_t *bytes,
                          unsigned int size)
{
    unsigned int i;

    for (i = 0; i < size; i++) {
        sum += i % 2 ? bytes[i] : bytes[i] << 8;
    }
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

/* Frames ------------------------------------------------------------------- */

struct kind {
    const char *name;
    bool ip6, udp;
    unsigned int vlan; /* bytes of the VLAN tag */
    unsigned int options; /* bytes in IPv4's header, or an extension header */
};

static const struct kind kinds[] = {
    { "IPv4, TCP", false, false, 0, 0 },
    { "IPv4, UDP", false, true, 0, 0 },
    { "IPv6, TCP", true, false, 0, 0 },
    { "IPv6, UDP", true, true, 0, 0 },
    { "VLAN, IPv4, TCP", false, false, 4, 0 },
    { "VLAN, IPv6, UDP", true, true, 4, 0 },
    { "IPv4 with options, TCP", false, false, 0, 8 },
    { "IPv6 with an extension, TCP", true, false, 0, 8 },
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static unsigned int ip_at(const struct kind *kind)
{
    return 14 + kind->vlan;
}

static unsigned int l4_at(const struct kind *kind)
{
    return ip_at(kind) + (kind->ip6 ? 40 : 20) + kind->options;
}

static unsigned int data_at(const struct kind *kind)
{
    return l4_at(kind) + (kind->udp ? 8 : 20);
}

static unsigned int protocol(const struct kind *kind)
{
    return kind->udp ? 17 : 6;
}

static unsigned int pseudo_header(const struct kind *kind, const uint8_t *frame,
                                  unsigned int size)
{
    const uint8_t *ip = frame + ip_at(kind);

    return sum16(size - l4_at(kind) + protocol(kind), ip + (kind->ip6 ? 8 : 12),
                 kind->ip6 ? 32 : 8);
}

static uint8_t *checksum_of(const struct kind *kind, uint8_t *frame)
{
    return frame + l4_at(kind) + (kind->udp ? 6 : 16);
}

/* A frame with @size bytes of data and a blank checksum, as Linux leaves it. */
static unsigned int make_frame(const struct kind *kind, unsigned int data)
{
    unsigned int size = data_at(kind) + data;
    uint8_t *ip = packet + ip_at(kind), *l4 = packet + l4_at(kind);

    memset(packet, 0, data_at(kind));
    fill(data_at(kind), size);
    memset(packet, 0xff, 6);
    packet[6] = 2;
    packet[11] = 1;
    if (kind->vlan) {
        put16(packet + 12, 0x8100);
        put16(packet + 14, 5);
    }
    put16(ip - 2, kind->ip6 ? 0x86dd : 0x0800);
    if (kind->ip6) {
        ip[0] = 0x60;
        put16(ip + 4, size - ip_at(kind) - 40);
        ip[6] = kind->options ? 60 : protocol(kind);
        ip[7] = 64;
        ip[8] = ip[24] = 0xfd;
        ip[23] = 1;
        ip[39] = 2;
        if (kind->options) {
            ip[40] = protocol(kind);
            ip[42] = 1; /* PadN */
            ip[43] = 4;
        }
    } else {
        ip[0] = 0x40 | (20 + kind->options) / 4;
        put16(ip + 2, size - ip_at(kind));
        put16(ip + 4, 0x1234);
        ip[8] = 64;
        ip[9] = protocol(kind);
        ip[12] = ip[16] = 10;
        ip[15] = 1;
        ip[19] = 2;
        memset(ip + 20, 1, kind->options); /* No-Operation */
        put16(ip + 10, ~sum16(0, ip, 20 + kind->options));
    }
    put16(l4, 1000);
    put16(l4 + 2, 2000);
    if (kind->udp) {
        put16(l4 + 4, size - l4_at(kind));
    } else {
        put16(l4 + 6, 77); /* the sequence number */
        l4[12] = 0x50;
        l4[13] = 0x19; /* FIN, PSH, ACK */
    }
    put16(checksum_of(kind, packet), pseudo_header(kind, packet, size));
    return size;
}

/* Both checksums of the frame that has come are right. */
static void check_checksums(const struct kind *kind)
{
    uint8_t *frame = received_packet.data;
    unsigned int size = received_packet.size;

    if (!check(size >= data_at(kind))) {
        return;
    }
    if (!kind->ip6) {
        check_equal(sum16(0, frame + ip_at(kind), 20 + kind->options), 0xffff);
    }
    check_equal(sum16(pseudo_header(kind, frame, size), frame + l4_at(kind),
                      size - l4_at(kind)),
                0xffff);
}

/* A receiver for which the back end has to do all. */
static const char *const no_offload[] = { "/feature-no-csum-offload", NULL };

static void connect(void)
{
    sender_connect();
    receiver_connect(NR_BUFFERS, no_offload);
}

/* Several slots ------------------------------------------------------------ */

TEST(nic_packet_of_several_slots, "hvm pvh nics=2 tcg lab kvm xen alone")
{
    static const unsigned int pieces[] = { 500, 100, 83, 1399 };
    unsigned int i;

    connect();
    fill(6, 1400);
    memset(packet, 0xff, 6);
    for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        put_packet(packet, 1400, pieces[i], 0, NULL);
        check_answers(NETIF_RSP_OKAY);
        check_packet(packet, 1400);
        put_packet(packet, 100, 100, 0, NULL);
        check_answers(NETIF_RSP_OKAY);
        check_packet(packet, 100);
    }
}

/*
 * The back end asks to be told of what is missing.  Linux's takes a packet whose
 * slots are not all there for an attack.
 */
TEST(nic_packet_slot_by_slot, "hvm pvh nics=2 tcg lab kvm alone")
{
    RING_IDX end;

    connect();
    fill(6, 1400);
    memset(packet, 0xff, 6);
    put_packet(packet, 1400, 100, 0, NULL);
    end = sender_ring.req_prod_pvt;
    sender_ring.req_prod_pvt -= 14;
    while (sender_ring.req_prod_pvt != end) {
        sender_ring.req_prod_pvt++;
        push_slots();
        spin_for(20);
    }
    check_answers(NETIF_RSP_OKAY);
    check_packet(packet, 1400);
}

/* A slot without data names no grant that anything is read from. */
TEST(nic_packet_with_empty_slots, "hvm pvh nics=2 tcg lab kvm xen alone")
{
    netif_tx_request_t slot;

    connect();
    fill(6, 300);
    memset(packet, 0xff, 6);
    slot = slot_of(packet, 200, 0, NETTXF_more_data);
    slot.size = 300;
    put_slot(slot);
    put_slot(
        (netif_tx_request_t){ .flags = NETTXF_more_data, .gref = 0x7fffffff });
    put_slot(slot_of(packet + 200, 100, 0, 0));
    check_answers(NETIF_RSP_OKAY);
    check_packet(packet, 300);
}

TEST(nic_packet_with_a_hash, "hvm pvh nics=2 tcg lab kvm xen alone")
{
    static const netif_extra_info_t hash = {
        .type = XEN_NETIF_EXTRA_TYPE_HASH,
    };
    unsigned int piece;

    connect();
    fill(6, 1400);
    memset(packet, 0xff, 6);
    for (piece = 500; piece <= 1500; piece += 500) {
        put_packet(packet, 1400, piece, 0, &hash);
        check_answers(NETIF_RSP_OKAY);
        check_packet(packet, 1400);
    }
}

/* Linux's back end drops a blank checksum behind a VLAN tag: it is not offered. */
static bool takes_offload(const struct kind *kind)
{
    return !kind->vlan || !host_is_xen();
}

/* Checksums and segments --------------------------------------------------- */

TEST(nic_blank_checksum, "hvm pvh nics=2 tcg lab kvm xen alone")
{
    unsigned int i, data, size;

    connect();
    for (i = 0; i < NR_KINDS; i++) {
        if (!takes_offload(&kinds[i])) {
            continue;
        }
        test_row(kinds[i].name);
        for (data = 1; data < 1400; data += 666) {
            size = make_frame(&kinds[i], data);
            put_packet(packet, size, data & 2 ? 2000 : 400, NETTXF_csum_blank,
                       NULL);
            check_answers(NETIF_RSP_OKAY);
            if (!check(receive_packet(5000))) {
                return;
            }
            check_equal(received_packet.size, size);
            check_checksums(&kinds[i]);
            /* All else is as it was. */
            put16(checksum_of(&kinds[i], received_packet.data),
                  get16(checksum_of(&kinds[i], packet)));
            check(!memcmp(received_packet.data, packet, size));
        }
    }
}

/* What is behind the datagram is not summed. */
TEST(nic_blank_checksum_and_padding, "hvm pvh nics=2 tcg lab kvm alone")
{
    unsigned int size;

    connect();
    size = make_frame(&kinds[0], 1);
    packet[size] = 0x55;
    put_packet(packet, 60, 60, NETTXF_csum_blank, NULL);
    check_answers(NETIF_RSP_OKAY);
    require(receive_packet(5000));
    received_packet.size = size;
    check_checksums(&kinds[0]);
}

/* Take the segments of a packet with @data bytes of data, and check each. */
static void check_segments(const struct kind *kind, unsigned int data)
{
    unsigned int done = 0, size, nr;

    for (nr = 0; done < data; nr++) {
        const uint8_t *frame = received_packet.data;
        const uint8_t *ip = frame + ip_at(kind), *l4 = frame + l4_at(kind);

        if (!check(receive_packet(5000))) {
            return;
        }
        size = data - done < SEGMENT ? data - done : SEGMENT;
        check_equal(received_packet.size, data_at(kind) + size);
        check_equal(kind->ip6 ? get16(ip + 4) + 40u : get16(ip + 2),
                    received_packet.size - ip_at(kind));
        if (!kind->ip6) {
            check_equal(get16(ip + 4), 0x1234 + nr);
        }
        check_equal(get32(l4 + 4), 77 + done);
        check_equal(l4[13], done + size < data ? 0x10 : 0x19);
        check_checksums(kind);
        check(!memcmp(frame + data_at(kind), packet + data_at(kind) + done,
                      size));
        done += size;
    }
}

TEST(nic_segments, "hvm pvh nics=2 tcg lab kvm xen alone")
{
    netif_extra_info_t gso = {
        .type = XEN_NETIF_EXTRA_TYPE_GSO,
        .u.gso.size = SEGMENT,
    };
    unsigned int i, data, size;

    connect();
    for (i = 0; i < NR_KINDS; i++) {
        if (kinds[i].udp || !takes_offload(&kinds[i])) {
            continue;
        }
        test_row(kinds[i].name);
        gso.u.gso.type =
            kinds[i].ip6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
        for (data = 3 * SEGMENT; data < 13 * SEGMENT; data += 4 * SEGMENT - 1) {
            size = make_frame(&kinds[i], data);
            put_packet(packet, size, PAGE_SIZE, NETTXF_csum_blank, &gso);
            check_answers(NETIF_RSP_OKAY);
            check_segments(&kinds[i], data);
            post_buffers((data + SEGMENT - 1) / SEGMENT);
        }
    }
}

/* Receiving ---------------------------------------------------------------- */

/* The guest learns nothing of what waits, so the back end must be told. */
TEST(nic_receives_once_buffers_are_there,
     "hvm pvh nics=2 tcg lab kvm xen alone")
{
    unsigned int i;

    sender_connect();
    receiver_connect(2, no_offload);
    for (i = 0; i < 12; i++) {
        fill(6, 100 + i);
        memset(packet, 0xff, 6);
        put_packet(packet, 100 + i, 200, 0, NULL);
        check_answers(NETIF_RSP_OKAY);
        if (i >= 2) {
            check(!receive_packet(30));
            post_buffers(1);
        }
        check_packet(packet, 100 + i);
    }
}

/* A frame of three slots: Linux's bridge drops it. */
TEST(nic_receives_several_slots, "hvm pvh nics=2 tcg lab kvm alone")
{
    static const char *const features[] = { "/feature-sg", NULL };
    unsigned int i;

    sender_connect();
    receiver_connect(2, features);
    fill(6, 9000);
    memset(packet, 0xff, 6);
    for (i = 0; i < 5; i++) {
        put_packet(packet, 9000, 3000, 0, NULL);
        check_answers(NETIF_RSP_OKAY);
        check(!receive_packet(30));
        post_buffers(3);
        check_packet(packet, 9000);
        check_equal(received_packet.nr_slots, 3);
    }
}

/* Without feature-sg it would be none of the guest's packets: no part comes. */
TEST(nic_receives_one_slot_only, "hvm pvh nics=2 tcg lab kvm alone")
{
    connect();
    fill(6, 9000);
    memset(packet, 0xff, 6);
    put_packet(packet, 9000, 3000, 0, NULL);
    put_packet(packet, 100, 100, 0, NULL);
    check_answers(NETIF_RSP_OKAY);
    check_packet(packet, 100);
}
