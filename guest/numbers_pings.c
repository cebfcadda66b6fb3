/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pings, each with a number, every 10 ms; see guest/numbers.c. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "numbers.h"

#define PING_MS     10
#define PINGS       (1u << 22)  /* at most: for half a day */
/* So many have room in the guest's queues and in the socket, each in a page. */
#define MAX_UNANSWERED 32

static uint16_t checksum(const uint16_t *words, unsigned int count)
{
    uint32_t sum = 0;

    while (count--) {
        sum += *words++;
    }
    sum = (sum >> 16) + (sum & 0xffff);
    return ~(sum + (sum >> 16));
}

struct ping {
    struct icmphdr header;
    uint32_t number, id;
};

static struct {
    int fd;
    struct sockaddr_ll everyone;
    struct ether_arp packet;
} announcement;

/* For the address from which the socket's packets go; false if errno says why not. */
static bool announcement_init(int pings)
{
    struct sockaddr_in from;
    socklen_t size = sizeof(from);
    struct ifaddrs *all, *one;
    struct ifreq nic = {};

    if (getsockname(pings, (struct sockaddr *)&from, &size) || getifaddrs(&all)) {
        return false;
    }
    for (one = all; one; one = one->ifa_next) {
        if (one->ifa_addr && one->ifa_addr->sa_family == AF_INET &&
            !memcmp(&((struct sockaddr_in *)one->ifa_addr)->sin_addr, &from.sin_addr, 4)) {
            strncpy(nic.ifr_name, one->ifa_name, sizeof(nic.ifr_name) - 1);
        }
    }
    freeifaddrs(all);
    announcement.fd = socket(AF_PACKET, SOCK_DGRAM, 0);
    if (announcement.fd < 0 || ioctl(announcement.fd, SIOCGIFHWADDR, &nic)) {
        return false;
    }
    announcement.packet.ea_hdr = (struct arphdr){
        .ar_hrd = htons(ARPHRD_ETHER),
        .ar_pro = htons(ETH_P_IP),
        .ar_hln = ETH_ALEN,
        .ar_pln = 4,
        .ar_op = htons(ARPOP_REQUEST),
    };
    memcpy(announcement.packet.arp_sha, nic.ifr_hwaddr.sa_data, ETH_ALEN);
    memcpy(announcement.packet.arp_spa, &from.sin_addr, 4);
    memcpy(announcement.packet.arp_tpa, &from.sin_addr, 4);
    announcement.everyone = (struct sockaddr_ll){
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ARP),
        .sll_ifindex = if_nametoindex(nic.ifr_name),
        .sll_halen = ETH_ALEN,
    };
    memset(announcement.everyone.sll_addr, 0xff, ETH_ALEN);
    return true;
}

/*
 * QEMU's user network does not know in another QEMU where the guest is.  It asks, and
 * drops what it has for a guest that takes over a second to answer.  An announcement
 * that cannot be sent is no error: the next ping has another.
 */
static void announce(void)
{
    sendto(announcement.fd, &announcement.packet, sizeof(announcement.packet), 0,
           (struct sockaddr *)&announcement.everyone, sizeof(announcement.everyone));
}

static bool send_ping(int fd, uint32_t number)
{
    struct ping ping = {
        .header.type = ICMP_ECHO,
        .number = number,
        .id = getpid(),
    };

    announce();
    ping.header.checksum = checksum((const uint16_t *)&ping, sizeof(ping) / 2);
    return send(fd, &ping, sizeof(ping), 0) == sizeof(ping);
}

/* When each was sent, in ns of CLOCK_MONOTONIC, or 0 once it has its answer. */
static int64_t *sent;

/* Takes the next answer, unless none comes in this time. */
static bool take_answer(int fd, int milliseconds)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    struct {
        struct iphdr ip;
        struct ping ping;
    } packet;
    uint64_t took;

    if (poll(&p, 1, milliseconds) != 1) {
        return false;
    }
    if (recv(fd, &packet, sizeof(packet), 0) != sizeof(packet) ||
        packet.ping.header.type != ICMP_ECHOREPLY ||
        packet.ping.id != (uint32_t)getpid()) {
        return true;
    }
    if (packet.ping.number >= shared->pings || !sent[packet.ping.number]) {
        error("a ping was answered twice", packet.ping.number, shared->pings);
        return true;
    }
    took = (now(CLOCK_MONOTONIC) - sent[packet.ping.number]) / 1000000;
    if (took > shared->slowest_ms) {
        shared->slowest_ms = took;
    }
    sent[packet.ping.number] = 0;
    return true;
}

/* The first that has no answer yet, from this one on. */
static uint32_t next_unanswered(uint32_t number)
{
    while (number < shared->pings && !sent[number]) {
        number++;
    }
    return number;
}

void send_pings(const char *address)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    uint32_t oldest = 0, end;

    sent = calloc(PINGS, sizeof(*sent));
    if (!sent || fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) ||
        !announcement_init(fd)) {
        error("no pings", errno, 0);
        return;
    }
    while (!shared->stop && shared->pings < PINGS) {
        int64_t next = now(CLOCK_MONOTONIC) + PING_MS * 1000000, left;

        oldest = next_unanswered(oldest);
        if (shared->pings - oldest < MAX_UNANSWERED) {
            sent[shared->pings] = now(CLOCK_MONOTONIC);
            if (!send_ping(fd, shared->pings)) {
                error("ping", errno, shared->pings);
                return;
            }
            shared->pings++;
        } else if (next - sent[oldest] > ANSWER_MS * 1000000ll) {
            break;          /* it is lost, and told below */
        }
        do {
            left = next - now(CLOCK_MONOTONIC);
        } while (take_answer(fd, left > 0 ? left / 1000000 + 1 : 0) || left > 0);
    }
    while (next_unanswered(oldest) < shared->pings && take_answer(fd, ANSWER_MS)) {
    }
    /* None comes any more: a line for all that follow each other. */
    while ((oldest = next_unanswered(oldest)) < shared->pings) {
        for (end = oldest; end < shared->pings && sent[end]; end++) {
        }
        error("pings were not answered", oldest, end - oldest);
        oldest = end;
    }
}
