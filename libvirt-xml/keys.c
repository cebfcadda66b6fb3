/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking a key up in the tables of keys.
 */

#include <string.h>

#include "keys.h"

const KeyTable *const key_tables[] = {
    &keys_xl_cfg,  &keys_disk,   &keys_vif,     &keys_pci,
    &keys_usbctrl, &keys_usbdev, &keys_channel, &keys_vnuma,
    &keys_smbios,  &keys_libxl_xml, NULL,
};

const Key *key_find(const KeyTable *table, const char *name)
{
    for (size_t i = 0; i < table->n_keys; i++) {
        const Key *key = &table->keys[i];
        const char *star = strchr(key->name, '*');

        if (star ? !strncmp(name, key->name, star - key->name)
                 : !strcmp(name, key->name)) {
            return key;
        }
    }
    return NULL;
}
