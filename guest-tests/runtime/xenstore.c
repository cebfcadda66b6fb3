/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XenStore's ring and wire protocol, the guest's side. */

#include "internal.h"
#include "xenstore.h"
#include <xen/io/xs_wire.h>

static struct xenstore_domain_interface *ring;
static evtchn_port_t ring_port;

static void wait_a_moment(void)
{
    evtchn_send(ring_port);
    sched_yield();
}

static void send_bytes(const void *data, size_t length)
{
    const char *bytes = data;

    while (length--) {
        while (ring->req_prod -
                   __atomic_load_n(&ring->req_cons, __ATOMIC_ACQUIRE) ==
               XENSTORE_RING_SIZE) {
            wait_a_moment();
        }
        ring->req[MASK_XENSTORE_IDX(ring->req_prod)] = *bytes++;
        __atomic_store_n(&ring->req_prod, ring->req_prod + 1, __ATOMIC_SEQ_CST);
    }
}

/* What @size has no room for is dropped. */
static void receive_bytes(char *to, size_t size, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++) {
        while (ring->rsp_cons ==
               __atomic_load_n(&ring->rsp_prod, __ATOMIC_ACQUIRE)) {
            wait_a_moment();
        }
        if (i < size) {
            to[i] = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
        }
        __atomic_store_n(&ring->rsp_cons, ring->rsp_cons + 1, __ATOMIC_SEQ_CST);
    }
}

int xenstore_request(uint32_t type, const void *payload, size_t length,
                     char *answer, size_t size)
{
    static uint32_t request_id;
    struct xsd_sockmsg header = {
        .type = type,
        .req_id = ++request_id,
        .len = length,
    };

    if (!ring) {
        ring = arch_xenstore(&ring_port);
    }
    send_bytes(&header, sizeof(header));
    send_bytes(payload, length);
    evtchn_send(ring_port);
    do {
        receive_bytes((char *)&header, sizeof(header), sizeof(header));
        receive_bytes(answer, size, header.len);
    } while (header.req_id != request_id);
    evtchn_send(ring_port);
    if (header.len < size) {
        answer[header.len] = '\0';
    }
    return header.type == XS_ERROR ? -1 : (int)header.len;
}

int xenstore_read(const char *path, char *value, size_t size)
{
    return xenstore_request(XS_READ, path, strlen(path) + 1, value, size);
}

unsigned int xenstore_read_number(const char *path, unsigned int otherwise)
{
    char text[16];
    const char *digit = text;
    unsigned int number = 0;

    if (xenstore_read(path, text, sizeof(text) - 1) <= 0) {
        return otherwise;
    }
    text[sizeof(text) - 1] = '\0';
    while (*digit >= '0' && *digit <= '9') {
        number = number * 10 + (*digit++ - '0');
    }
    return number;
}

bool xenstore_write_number(const char *path, unsigned int value)
{
    char payload[160], answer[16], digits[12];
    size_t length = strlen(path) + 1;
    unsigned int nr = 0;

    memcpy(payload, path, length);
    do {
        digits[nr++] = '0' + value % 10;
        value /= 10;
    } while (value);
    while (nr) {
        payload[length++] = digits[--nr];
    }
    return xenstore_request(XS_WRITE, payload, length, answer,
                            sizeof(answer)) >= 0;
}

const char *path_join(char path[128], const char *one, const char *other)
{
    size_t length = strlen(one), more = strlen(other);

    if (length + more >= 128) {
        crash("a path is too long: %s%s", one, other);
    }
    memcpy(path, one, length);
    memcpy(path + length, other, more + 1);
    return path;
}

/* Grants ------------------------------------------------------------------- */

/* The first few references belong to the console and to XenStore. */
#define FIRST_FREE_GRANT 8

grant_ref_t grant_page(domid_t dom, const void *page)
{
    static grant_entry_v1_t *table;
    static grant_ref_t next = FIRST_FREE_GRANT;
    grant_ref_t reference = next++;

    if (!table) {
        table = arch_grant_table();
    }
    if (reference >= PAGE_SIZE / sizeof(*table)) {
        crash("out of grants");
    }
    table[reference].domid = dom;
    table[reference].frame = gfn_of(page);
    __atomic_store_n(&table[reference].flags, GTF_permit_access,
                     __ATOMIC_SEQ_CST);
    return reference;
}
