/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By what a guest is told from all others: XENVER_guest_handle, and XenStore. */

#include "xenstore.h"

#define TEXT_SIZE 37

/* Bytes in the order in which they are written. */
static void print_uuid(char text[TEXT_SIZE], const xen_domain_handle_t uuid)
{
    static const char digits[] = "0123456789abcdef";
    unsigned int i;

    for (i = 0; i < sizeof(xen_domain_handle_t); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *text++ = '-';
        }
        *text++ = digits[uuid[i] >> 4];
        *text++ = digits[uuid[i] & 15];
    }
    *text = 0;
}

/* What uuid= on the command line says, or any that is not 0. */
TEST(uuid_by_hypercall_and_xenstore, "hvm pvh")
{
    static const xen_domain_handle_t none;
    const char *expected = command_line_value("uuid");
    xen_domain_handle_t handle;
    char by_handle[TEXT_SIZE], by_xenstore[TEXT_SIZE], vm[128], path[128];

    require(!HYPERVISOR_xen_version(XENVER_guest_handle, handle));
    check(memcmp(handle, none, sizeof(none)));
    print_uuid(by_handle, handle);
    test_note("uuid: %s", by_handle);
    if (expected) {
        check(!memcmp(by_handle, expected, strlen(by_handle)));
    }
    require(xenstore_read("vm", vm, sizeof(vm)) > 0);
    check(same_text(vm, path_join(path, "/vm/", by_handle)));
    require(xenstore_read(path_join(path, vm, "/uuid"), by_xenstore,
                          sizeof(by_xenstore)) > 0);
    check(same_text(by_xenstore, by_handle));
}
