"""The released recipes: which methods, of which version, with which parameters, how hard, and on how many samples.

A released recipe is never edited: it names everything, so that no changed default changes what it does, and a better
one gets the next number.

`quick` is for a first look and for every commit: it fits two minutes for a small network and 200 samples on two cores.
There CLEVER, which takes thousands of gradients a sample, scores the first 20 only, CROWN ends its search some per cent
below what it could prove, and intervals, which CROWN contains, are left out. `standard` is for a release, `thorough`
for a claim that others will attack.
"""

from audits.asking.recipe import RecipeStep

QUICK_1 = (
    RecipeStep("noise@1", {"points": 1_000}, queries=200),
    RecipeStep("pgd@1", {"loss": "margin", "steps": 20, "restarts": 2, "step_size": 0.5, "search_steps": 8}),
    RecipeStep("square@1", {"initial_share": None, "steps": 10_000}, queries=500),
    RecipeStep(
        "hopskipjump@1",
        {"directions": "full", "frequencies": 0.25, "initial_directions": 100, "iterations": 64, "gamma": 1.0},
        queries=1_000,
    ),
    RecipeStep("crown@1", {"search_steps": 5}),
    RecipeStep("nearest_neighbor@1", {"selected": 100}),
    RecipeStep("smoothing@1", {"sigma": 0.25, "n0": 100, "n": 1_000, "alpha": 0.001}, queries=1_101),
    RecipeStep(
        "clever@1",
        {
            "preset": "quick",
            "batches": 50,
            "batch_size": 128,
            "radius": "auto",
            "sampling": "radial",
            "ball": "own",
            "rivals": "all",
        },
        samples=20,
    ),
)

STANDARD_1 = (
    RecipeStep("noise@1", {"points": 1_000}, queries=1_000),
    RecipeStep("pgd@1", {"loss": "margin", "steps": 50, "restarts": 5, "step_size": 0.5, "search_steps": 12}),
    RecipeStep("square@1", {"initial_share": None, "steps": 10_000}, queries=5_000),
    RecipeStep(
        "hopskipjump@1",
        {"directions": "full", "frequencies": 0.25, "initial_directions": 100, "iterations": 64, "gamma": 1.0},
    ),
    RecipeStep("crown@1", {"search_steps": 24}),
    RecipeStep("intervals@1", {"search_steps": 24}),
    RecipeStep("nearest_neighbor@1", {"selected": 100}),
    RecipeStep("smoothing@1", {"sigma": 0.25, "n0": 100, "n": 10_000, "alpha": 0.001}, queries=10_101),
    RecipeStep(
        "clever@1",
        {
            "preset": "standard",
            "batches": 100,
            "batch_size": 512,
            "radius": "auto",
            "sampling": "radial",
            "ball": "own",
            "rivals": "all",
        },
        samples=100,
    ),
)

THOROUGH_1 = (
    RecipeStep("noise@1", {"points": 1_000}),
    RecipeStep(
        "pgd@1", {"loss": "margin", "steps": 100, "restarts": 20, "step_size": 0.5, "search_steps": 12}, queries=100_000
    ),
    RecipeStep("square@1", {"initial_share": None, "steps": 10_000}, queries=20_000),
    RecipeStep(
        "hopskipjump@1",
        {"directions": "full", "frequencies": 0.25, "initial_directions": 100, "iterations": 64, "gamma": 1.0},
        queries=50_000,
    ),
    RecipeStep("crown@1", {"search_steps": 24}),
    RecipeStep("intervals@1", {"search_steps": 24}),
    RecipeStep("nearest_neighbor@1", {"selected": 100}),
    RecipeStep("smoothing@1", {"sigma": 0.25, "n0": 100, "n": 100_000, "alpha": 0.001}, queries=100_101),
    RecipeStep(
        "clever@1",
        {
            "preset": "standard",
            "batches": 100,
            "batch_size": 512,
            "radius": "auto",
            "sampling": "radial",
            "ball": "own",
            "rivals": "all",
        },
    ),
)
