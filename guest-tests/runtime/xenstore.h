/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XenStore and the grant table, as far as a test of a back end needs them. */

#ifndef GUEST_TESTS_XENSTORE_H
#define GUEST_TESTS_XENSTORE_H

#include "guest.h"
#include <xen/io/xs_wire.h>

/* Byte by byte ------------------------------------------------------------- */

/* The ring; ends the test, as skipped, in a guest that has none. */
struct xenstore_domain_interface *xenstore_ring(void);
/* Look for it anew, as after a reset. */
void xenstore_forget(void);
void xenstore_notify(void);
/* Write to the ring as it has room; false when it has none for some seconds. */
bool xenstore_put(const void *bytes, size_t length);
/*
 * Wait for an answer and return "OK", the error's name, or "no answer" after some
 * seconds.  Watch events on the way are dropped.
 */
const char *xenstore_wait(void);

/* The last answer, with a NUL after it. */
struct xenstore_answer {
    struct xsd_sockmsg header;
    char data[XENSTORE_PAYLOAD_MAX + 1];
};
extern struct xenstore_answer xenstore_answer;

/* Put a whole request, and wait. */
const char *xenstore_ask(uint32_t type, uint32_t transaction,
                         const void *payload, size_t length);
const char *xenstore_ask_path(uint32_t type, uint32_t transaction,
                              const char *path);
const char *xenstore_write(const char *path, const char *value);

#define check_answer(answer, expected)                                   \
    do {                                                                 \
        const char *got_answer = (answer);                               \
        if (!check(same_text(got_answer, expected))) {                   \
            test_note("the answer is %s, not %s", got_answer, expected); \
        }                                                                \
    } while (0)

bool same_text(const char *one, const char *other);

/* Whole requests ----------------------------------------------------------- */

/*
 * Send a request of @type (XS_READ, ...) with a payload of @length bytes and
 * wait for its answer, polling.  Stores at most @size bytes of the answer at
 * @answer, and a NUL if there is room.  Returns the answer's length, or -1 for an
 * XS_ERROR, whose text is then at @answer.  Watch events on the way are dropped.
 * On vCPU 0 only.
 */
int xenstore_request(uint32_t type, const void *payload, size_t length,
                     char *answer, size_t size);
/* The value of @path, or -1; a string when @size has room for its NUL. */
int xenstore_read(const char *path, char *value, size_t size);
/* The value as a number; @otherwise if there is none. */
unsigned int xenstore_read_number(const char *path, unsigned int otherwise);
bool xenstore_write_number(const char *path, unsigned int value);

/* "@one@other" into @path. */
const char *path_join(char path[128], const char *one, const char *other);

/* Let @dom read and write the page at @page.  Returns the grant reference. */
grant_ref_t grant_page(domid_t dom, const void *page);
/* The entry of a page that was granted. */
volatile grant_entry_v1_t *grant_entry(grant_ref_t reference);

#endif /* GUEST_TESTS_XENSTORE_H */
