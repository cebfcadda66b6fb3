# SPDX-License-Identifier: GPL-2.0-or-later
# A mask bit that the guest changes during the change of ABI is lost.
s/if (evtchn_2l_get_mask(d, port, &word)) {/if (false \&\& evtchn_2l_get_mask(d, port, \&word)) {/
