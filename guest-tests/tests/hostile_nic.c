/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A NIC's front end makes requests that the back end must refuse or defer. */

#include "front_end.h"

#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/io/netif.h>

static struct front_end nic;
static netif_tx_front_ring_t ring;

/* Connect a ring with the same short packet in all slots. */
static void connect(void)
{
    netif_tx_sring_t *shared = page_alloc(1);
    netif_rx_sring_t *receive = page_alloc(1);
    grant_ref_t packet = grant_page(0, page_alloc(1));
    unsigned int i;

    if (!front_end_find(&nic, "vif", 0)) {
        test_skip("no NIC");
    }
    SHARED_RING_INIT(shared);
    SHARED_RING_INIT(receive);
    FRONT_RING_INIT(&ring, shared, PAGE_SIZE);
    for (i = 0; i < RING_SIZE(&ring); i++) {
        *RING_GET_REQUEST(&ring, i) = (netif_tx_request_t){
            .gref = packet,
            .size = 60,
        };
    }
    require(back_end_reaches(&nic, XenbusStateInitWait));
    require(
        front_end_write_number(&nic, "/tx-ring-ref", grant_page(0, shared)));
    require(
        front_end_write_number(&nic, "/rx-ring-ref", grant_page(0, receive)));
    require(front_end_write_number(&nic, "/event-channel", nic.port));
    require(front_end_write_number(&nic, "/request-rx-copy", 1));
    require(front_end_write_number(&nic, "/state", XenbusStateConnected));
    require(back_end_reaches(&nic, XenbusStateConnected));
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
