#include "base/nearest.h"

void nearest_init(struct nearest *n, struct str word)
{
    unsigned most = word.len <= 3 ? 1 : word.len <= 8 ? 2 : 3;

    n->word = word;
    n->name = (struct str){NULL, 0};
    n->distance = most + 1;
}

void nearest_offer(struct nearest *n, struct str name)
{
    unsigned distance = str_distance(n->word, name, n->distance);

    if (distance < n->distance) {
        n->name = name;
        n->distance = distance;
    }
}
