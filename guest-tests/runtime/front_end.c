/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A front end of a PV device, and what XenStore has of it. */

#include "front_end.h"

bool front_end_find(struct front_end *device, const char *kind,
                    unsigned int index)
{
    static char names[256];
    char directory[128], path[128];
    const char *name = names;
    int length;

    path_join(directory, "device/", kind);
    length = xenstore_request(XS_DIRECTORY, directory, strlen(directory) + 1,
                              names, sizeof(names) - 1);
    while (index-- && name < names + length) {
        name += strlen(name) + 1;
    }
    if (name >= names + length) {
        return false;
    }
    path_join(path, directory, "/");
    path_join(device->front, path, name);
    path_join(path, device->front, "/backend");
    return xenstore_read(path, device->back, sizeof(device->back)) > 0 &&
           !evtchn_alloc_unbound(DOMID_SELF, 0, &device->port);
}

bool front_end_write(const struct front_end *device, const char *key,
                     const char *value)
{
    char path[128];

    return same_text(xenstore_write(path_join(path, device->front, key), value),
                     "OK");
}

bool front_end_write_number(const struct front_end *device, const char *key,
                            unsigned int value)
{
    char path[128];

    return xenstore_write_number(path_join(path, device->front, key), value);
}

unsigned int back_end_state(const struct front_end *device)
{
    char path[128];

    return xenstore_read_number(path_join(path, device->back, "/state"),
                                XenbusStateUnknown);
}

bool back_end_reaches(const struct front_end *device, unsigned int state)
{
    return wait_for(back_end_state(device) == state, 10000);
}
