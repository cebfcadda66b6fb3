/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a PV guest's programs need page tables of their own on this processor, as they
 * would read through the monitor's directmap.
 */

#include <glib.h>

#include "meltdown.h"

bool processor_has_meltdown(const char *file)
{
    g_autofree char *text = NULL;

    return !g_file_get_contents(file, &text, NULL, NULL) ||
           !g_str_has_prefix(text, "Not affected");
}
