/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two NICs' front ends on one wire: one sends, the other receives. */

#ifndef GUEST_TESTS_NIC_H
#define GUEST_TESTS_NIC_H

#include "front_end.h"

#define xen_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#include <xen/io/netif.h>

/* The sender --------------------------------------------------------------- */

extern struct front_end sender;
extern netif_tx_front_ring_t sender_ring;

/*
 * Connect NIC @index with these rings.  @features, up to a NULL, are keys like
 * "/feature-sg", to be 1.
 */
void nic_connect(struct front_end *nic, unsigned int index, void *send,
                 void *receive, const char *const *features);
/* Connect the first NIC; its rings are empty. */
void sender_connect(void);

/* A slot with a copy of the @size bytes at @data, at @offset in a page. */
netif_tx_request_t slot_of(const void *data, unsigned int size,
                           unsigned int offset, uint16_t flags);
/* Put a slot, or an extra info, on the ring. */
void put_slot(netif_tx_request_t slot);
void put_extra(netif_extra_info_t extra);
/* Put a packet, cut into slots of up to @piece bytes; @gso may be NULL. */
void put_packet(const void *data, unsigned int size, unsigned int piece,
                uint16_t flags, const netif_extra_info_t *gso);
/* Show the slots to the back end, and notify it if it asks for that. */
void push_slots(void);
/* Wait for the next answer, and check it. */
void check_status(int status);
/* Push, and check that all slots are answered so; extra infos by NULL. */
void check_answers(int status);

/* The receiver ------------------------------------------------------------- */

extern struct front_end receiver;
extern netif_rx_front_ring_t receiver_ring;

struct received_packet {
    unsigned int size;
    unsigned int nr_slots;
    uint16_t flags; /* of its first slot */
    bool failed; /* a slot's status is an error */
    bool has_gso;
    netif_extra_info_t gso;
    uint8_t data[18 * PAGE_SIZE];
};
/* The last one received. */
extern struct received_packet received_packet;

#define NR_BUFFERS 64

/* Connect the second NIC, with @nr buffers posted. */
void receiver_connect(unsigned int nr, const char *const *features);
/* Post @nr buffers more, and notify the back end if it asks for that. */
void post_buffers(unsigned int nr);
/* The next packet; false if none comes within @milliseconds. */
bool receive_packet(unsigned int milliseconds);
/* The next packet is these bytes. */
void check_packet(const void *data, unsigned int size);

#endif /* GUEST_TESTS_NIC_H */
