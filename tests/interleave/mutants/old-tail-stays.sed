# SPDX-License-Identifier: GPL-2.0-or-later
# A port that is put on a queue again still counts as the old queue's tail.
s/if (old_q != q && old_tail == port) {/if (false) {/
