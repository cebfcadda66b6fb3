/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a daemon reads a file again. */

#include "seen.h"

#include <glib/gstdio.h>
#include <utime.h>

static void write_file(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* Long enough ago that a second change would show. */
static void make_old(const char *path, time_t when)
{
    struct utimbuf times = { .actime = when, .modtime = when };

    g_assert_cmpint(utime(path, &times), ==, 0);
}

static void test_file(void)
{
    g_autofree char *folder = g_dir_make_tmp("seen-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "file", NULL);
    Seen seen = { 0 };

    for (int round = 0; round < 2; round++) {
        /* A look costs one call, also at what was never there. */
        g_assert_false(seen_changed(&seen, path));
        g_assert_false(seen_changed(&seen, path));
        write_file(path, "one");
        g_assert_true(seen_changed(&seen, path));
        /* It may change again in the same tick. */
        g_assert_true(seen_changed(&seen, path));
        make_old(path, 1000);
        g_assert_true(seen_changed(&seen, path));
        g_assert_false(seen_changed(&seen, path));
        make_old(path, 2000);
        g_assert_true(seen_changed(&seen, path));
        g_assert_false(seen_changed(&seen, path));
        seen_again(&seen);
        g_assert_true(seen_changed(&seen, path));
        g_assert_false(seen_changed(&seen, path));
        g_assert_cmpint(g_unlink(path), ==, 0);
        /* What was in it holds no more. */
        g_assert_true(seen_changed(&seen, path));
    }
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/placement/seen/file", test_file);
    return g_test_run();
}
