/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XenStore and the grant table, as far as a test of a back end needs them. */

#ifndef GUEST_TESTS_XENSTORE_H
#define GUEST_TESTS_XENSTORE_H

#include "guest.h"

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
/* The same as a number; @otherwise if there is none. */
unsigned int xenstore_read_number(const char *path, unsigned int otherwise);
bool xenstore_write_number(const char *path, unsigned int value);

/* "@one@other" into @path. */
const char *path_join(char path[128], const char *one, const char *other);

/* Let @dom read and write the page at @page.  Returns the grant reference. */
grant_ref_t grant_page(domid_t dom, const void *page);

#endif /* GUEST_TESTS_XENSTORE_H */
