"""Drawings of faces: everyone has features of their own, each picture its own light and noise."""

from collections import namedtuple

import numpy as np
from beat.backend.python.database import View

SIZE = 24

Entry = namedtuple("Entry", ["person", "image"])


def features(person):
    """Return where eyes and mouth are, and how wide and dark, for a person."""
    random = np.random.RandomState(1000 + person)
    return {
        "eyes": 0.32 + 0.14 * random.rand(),
        "apart": 0.14 + 0.14 * random.rand(),
        "mouth": 0.64 + 0.16 * random.rand(),
        "width": 0.06 + 0.18 * random.rand(),
        "nose": 0.08 + 0.14 * random.rand(),
        "skin": 0.55 + 0.25 * random.rand(),
        "face": 0.36 + 0.10 * random.rand(),
    }


def blob(x, y, at_x, at_y, wide, high):
    return np.exp(-(((x - at_x) / wide) ** 2 + ((y - at_y) / high) ** 2))


def draw(person, sample):
    """Return a picture of a person; the same numbers give the same picture."""
    face = features(person)
    random = np.random.RandomState(sample)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / float(SIZE - 1)
    x = x + 0.007 * random.randn()
    y = y + 0.007 * random.randn()
    grey = face["skin"] * blob(x, y, 0.5, 0.5, face["face"], 0.5)
    for side in (-1, 1):
        grey = grey - 0.5 * blob(x, y, 0.5 + side * face["apart"], face["eyes"], 0.07, 0.05)
    grey = grey - 0.4 * blob(x, y, 0.5, face["mouth"], face["width"], 0.04)
    grey = grey - 0.15 * blob(x, y, 0.5, 0.55, 0.04, face["nose"])
    light = 1 + 0.25 * random.randn() * (x - 0.5) + 0.1 * random.randn()
    noisy = grey * light + 0.05 * random.randn(SIZE, SIZE)
    return np.clip(255 * noisy, 0, 255).astype("uint8")


class Faces(View):
    """All pictures of one person follow each other: one label stands for all of them."""

    def index(self, root_folder, parameters):
        people, samples = parameters["people"], parameters["samples"]
        return [
            Entry(f"person {person:02}", 1000000 * parameters["seed"] + 1000 * person + sample)
            for person in range(people)
            for sample in range(samples)
        ]

    def get(self, output, index):
        entry = self.objs[index]
        if output == "person":
            return {"value": entry.person}
        return {"value": draw(int(entry.person.split()[1]), entry.image)}
