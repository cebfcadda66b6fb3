# SPDX-License-Identifier: GPL-2.0-or-later
# Links to a tail without looking if that is still linked.
0,/if (!(w & LINKED)) {/s//if (false) {/
