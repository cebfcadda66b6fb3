/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the monitor's guests are safe from their own programs on this processor: the
 * monitor's directmap is in the page tables of user mode, too.
 */

#include <glib.h>

#include "meltdown.h"

bool processor_has_meltdown(const char *file)
{
    g_autofree char *text = NULL;

    return !g_file_get_contents(file, &text, NULL, NULL) ||
           !g_str_has_prefix(text, "Not affected");
}
