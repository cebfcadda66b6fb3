# SPDX-License-Identifier: GPL-2.0-or-later
# A sender takes for pending what was pending when it sent before.
s/if (evtchn_load(&chn->look_first) && is_on_its_way(abi, d, port)) {/if (evtchn_load(\&chn->look_first)) {\n        (void)is_on_its_way;/
