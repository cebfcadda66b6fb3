/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host's kernel says of Meltdown. */

#include <glib.h>
#include <glib/gstdio.h>

#include "meltdown.h"

static void test_file(gconstpointer text)
{
    g_autofree char *directory = g_dir_make_tmp("meltdown.XXXXXX", NULL);
    g_autofree char *file = g_build_filename(directory, "meltdown", NULL);

    g_assert_true(processor_has_meltdown(file));
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    g_assert_cmpint(processor_has_meltdown(file), ==,
                    !g_str_equal(text, "Not affected\n"));
    g_unlink(file);
    g_rmdir(directory);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/meltdown/not-affected", "Not affected\n", test_file);
    g_test_add_data_func("/meltdown/mitigated", "Mitigation: PTI\n", test_file);
    g_test_add_data_func("/meltdown/vulnerable", "Vulnerable\n", test_file);
    g_test_add_data_func("/meltdown/unknown",
                         "Unknown (XEN PV detected, hypervisor mitigation "
                         "required)\n", test_file);
    return g_test_run();
}
