# SPDX-License-Identifier: GPL-2.0-or-later
# A sender takes for pending what was pending when it sent before.
s/^        evtchn_bits_is_on_its_way(abi, d, port)) {/        true) {/
