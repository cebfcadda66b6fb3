/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two NICs' front ends on one wire: one sends, the other receives. */

#include "nic.h"

void nic_connect(struct front_end *nic, unsigned int index, void *send,
                 void *receive, const char *const *features)
{
    if (!front_end_find(nic, "vif", index)) {
        test_skip("no NIC");
    }
    require(back_end_reaches(nic, XenbusStateInitWait));
    require(front_end_write_number(nic, "/tx-ring-ref", grant_page(0, send)));
    require(
        front_end_write_number(nic, "/rx-ring-ref", grant_page(0, receive)));
    require(front_end_write_number(nic, "/event-channel", nic->port));
    require(front_end_write_number(nic, "/request-rx-copy", 1));
    require(front_end_write_number(nic, "/feature-rx-notify", 1));
    for (; features && *features; features++) {
        require(front_end_write_number(nic, *features, 1));
    }
    require(front_end_write_number(nic, "/state", XenbusStateConnected));
    require(back_end_reaches(nic, XenbusStateConnected));
}

/* The sender --------------------------------------------------------------- */

struct front_end sender;
netif_tx_front_ring_t sender_ring;
/* Slots that are extra infos. */
static bool is_extra[256];

void sender_connect(void)
{
    netif_tx_sring_t *shared = page_alloc(1);
    netif_rx_sring_t *receive = page_alloc(1);

    SHARED_RING_INIT(shared);
    SHARED_RING_INIT(receive);
    FRONT_RING_INIT(&sender_ring, shared, PAGE_SIZE);
    nic_connect(&sender, 0, shared, receive, NULL);
}

netif_tx_request_t slot_of(const void *data, unsigned int size,
                           unsigned int offset, uint16_t flags)
{
    uint8_t *page = page_alloc(1);

    memcpy(page + offset, data, size);
    return (netif_tx_request_t){
        .gref = grant_page(0, page),
        .offset = offset,
        .size = size,
        .flags = flags,
    };
}

static void *next_slot(bool extra)
{
    RING_IDX i = sender_ring.req_prod_pvt++;

    is_extra[i % 256] = extra;
    return RING_GET_REQUEST(&sender_ring, i);
}

void put_slot(netif_tx_request_t slot)
{
    memcpy(next_slot(false), &slot, sizeof(slot));
}

void put_extra(netif_extra_info_t extra)
{
    memcpy(next_slot(true), &extra, sizeof(extra));
}

void put_packet(const void *data, unsigned int size, unsigned int piece,
                uint16_t flags, const netif_extra_info_t *gso)
{
    unsigned int done = 0, here;
    netif_tx_request_t slot;

    do {
        here = size - done < piece ? size - done : piece;
        slot = slot_of((const uint8_t *)data + done, here,
                       done % (PAGE_SIZE - here + 1),
                       done + here < size ? NETTXF_more_data : 0);
        if (!done) {
            slot.size = size;
            slot.flags |= flags | (gso ? NETTXF_extra_info : 0);
        }
        put_slot(slot);
        if (!done && gso) {
            put_extra(*gso);
        }
        done += here;
    } while (done < size);
}

void push_slots(void)
{
    int notify;

    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&sender_ring, notify);
    if (notify) {
        evtchn_send(sender.port);
    }
}

/* Without an event the back end need not be told: this polls. */
static bool is_answered(void)
{
    return __atomic_load_n(&sender_ring.sring->rsp_prod, __ATOMIC_ACQUIRE) !=
           sender_ring.rsp_cons;
}

void check_status(int status)
{
    if (check(wait_for(is_answered(), 5000))) {
        check_equal(
            RING_GET_RESPONSE(&sender_ring, sender_ring.rsp_cons++)->status,
            status);
    }
}

void check_answers(int status)
{
    push_slots();
    while (sender_ring.rsp_cons != sender_ring.req_prod_pvt) {
        RING_IDX i = sender_ring.rsp_cons;

        check_status(is_extra[i % 256] ? NETIF_RSP_NULL : status);
        if (sender_ring.rsp_cons == i) {
            return;
        }
    }
}

/* The receiver ------------------------------------------------------------- */

struct front_end receiver;
netif_rx_front_ring_t receiver_ring;
struct received_packet received_packet;

static uint8_t *buffers[NR_BUFFERS];
static grant_ref_t grants[NR_BUFFERS];

static void fill_ring(unsigned int nr)
{
    while (nr--) {
        unsigned int i = receiver_ring.req_prod_pvt % NR_BUFFERS;

        *RING_GET_REQUEST(&receiver_ring, receiver_ring.req_prod_pvt++) =
            (netif_rx_request_t){ .id = i, .gref = grants[i] };
    }
}

void post_buffers(unsigned int nr)
{
    int notify;

    fill_ring(nr);
    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&receiver_ring, notify);
    if (notify) {
        evtchn_send(receiver.port);
    }
}

void receiver_connect(unsigned int nr, const char *const *features)
{
    netif_tx_sring_t *send = page_alloc(1);
    netif_rx_sring_t *shared = page_alloc(1);
    unsigned int i;

    SHARED_RING_INIT(send);
    SHARED_RING_INIT(shared);
    FRONT_RING_INIT(&receiver_ring, shared, PAGE_SIZE);
    for (i = 0; i < NR_BUFFERS; i++) {
        buffers[i] = page_alloc(1);
        grants[i] = grant_page(0, buffers[i]);
    }
    fill_ring(nr);
    RING_PUSH_REQUESTS(&receiver_ring);
    nic_connect(&receiver, 1, send, shared, features);
}

/* The next response; a guest that takes its event would read it then. */
static const netif_rx_response_t *next_response(unsigned int milliseconds)
{
    if (!wait_for(__atomic_load_n(&receiver_ring.sring->rsp_prod,
                                  __ATOMIC_ACQUIRE) != receiver_ring.rsp_cons,
                  milliseconds)) {
        return NULL;
    }
    return RING_GET_RESPONSE(&receiver_ring, receiver_ring.rsp_cons++);
}

bool receive_packet(unsigned int milliseconds)
{
    struct received_packet *packet = &received_packet;
    const netif_rx_response_t *response = next_response(milliseconds);

    packet->size = packet->nr_slots = 0;
    packet->failed = packet->has_gso = false;
    if (!response) {
        return false;
    }
    packet->flags = response->flags;
    for (;;) {
        bool more = response->flags & NETRXF_more_data;
        bool is_first = !packet->nr_slots++;

        if (response->status < 0) {
            packet->failed = true;
        } else if (check(response->status + response->offset <= PAGE_SIZE &&
                         packet->size + response->status <=
                             sizeof(packet->data))) {
            memcpy(packet->data + packet->size,
                   buffers[response->id % NR_BUFFERS] + response->offset,
                   response->status);
            packet->size += response->status;
        }
        if (is_first && packet->flags & NETRXF_extra_info) {
            const netif_extra_info_t *extra = (void *)next_response(1000);

            if (!check(extra) ||
                !check_equal(extra->type, XEN_NETIF_EXTRA_TYPE_GSO)) {
                return false;
            }
            packet->has_gso = true;
            packet->gso = *extra;
        }
        if (!more) {
            return true;
        }
        response = next_response(1000);
        if (!check(response)) {
            return false;
        }
    }
}

void check_packet(const void *data, unsigned int size)
{
    if (check(receive_packet(5000))) {
        check(!received_packet.failed);
        check_equal(received_packet.size, size);
        check(!memcmp(received_packet.data, data, size));
    }
}
