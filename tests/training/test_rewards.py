"""The 4D Chamfer reward against plain geometry: exact distances, honest emptiness, and 0 for the truth itself."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from components import geometry
from components.heads import Read4D
from components.params import Stage3Reward
from components.training.losses import Truth
from components.training.rewards import (
    CAP_SHARE,
    POINTS,
    Points,
    Scene,
    advantages,
    chamfer,
    diameter,
    overall,
    points,
    rays_of,
    reward_terms,
)
from tests.training.twins import APPROACH, FRAMES, INTRINSICS, NEAR, SIZE, make_world

CERTAIN = 50.0  # a logit
ONLY_CHAMFER = Stage3Reward(chamfer=1.0, overlap=0.0, centroid=0.0)
WHOLE = (range(0, 1), range(1, 5))  # one latent frame beside the given one


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def order(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, generator=generator(seed))


def cloud(*shape: int, seed: int = 0, share: float = 1.0) -> Points:
    """Points (B,T,K,3) some metres before the camera, a share of them there."""
    rng = generator(seed)
    xyz = torch.rand(*shape, 3, generator=rng) * 2 + torch.tensor([-1.0, -1.0, 4.0])
    return Points(xyz=xyz, there=torch.rand(shape, generator=rng) < share)


def by_tree(a: Points, b: Points, cap: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The same distance (B,T), point set by point set."""
    found = np.zeros(a.there.shape[:2])
    for place in np.ndindex(found.shape):
        one, other = (points.xyz[place][points.there[place]].double().numpy() for points in (a, b))
        if len(one) and len(other):
            there, back = cKDTree(other).query(one)[0], cKDTree(one).query(other)[0]
            found[place] = (np.minimum(there, cap).mean() + np.minimum(back, cap).mean()) / 2
        elif len(one) or len(other):
            found[place] = cap
    return found


class TestChamfer:
    @pytest.mark.parametrize("share", [1.0, 0.5, 0.05])
    def test_it_is_that_of_a_search_tree(self, share: float) -> None:
        a, b = cloud(3, 4, 20, seed=1, share=share), cloud(3, 4, 31, seed=2, share=share)
        found = chamfer(a, b, cap=torch.full((3,), 0.3))
        np.testing.assert_allclose(found.numpy(), by_tree(a, b, 0.3), atol=1e-5)

    def test_a_set_is_at_no_distance_from_itself(self) -> None:
        a = cloud(2, 3, POINTS, seed=1, share=0.7)
        assert chamfer(a, a, cap=torch.full((2,), 0.3)).eq(0).all()

    def test_the_order_of_points_is_free(self) -> None:
        a, b = cloud(2, 3, 20, seed=1), cloud(2, 3, 20, seed=2)
        turned = Points(xyz=b.xyz.flip(2), there=b.there.flip(2))
        cap = torch.full((2,), 1.0)
        torch.testing.assert_close(chamfer(a, turned, cap=cap), chamfer(a, b, cap=cap))

    def test_it_is_symmetric(self) -> None:
        a, b = cloud(2, 3, 20, seed=1, share=0.8), cloud(2, 3, 30, seed=2, share=0.3)
        cap = torch.full((2,), 1.0)
        torch.testing.assert_close(chamfer(a, b, cap=cap), chamfer(b, a, cap=cap))

    def test_it_is_the_shift_until_the_cap(self) -> None:
        """Points far from each other: the nearest of each is its own shifted self."""
        grid = torch.cartesian_prod(torch.arange(3.0), torch.arange(3.0), torch.tensor([5.0])).view(1, 1, 9, 3)
        a = Points(xyz=grid, there=torch.ones(1, 1, 9, dtype=torch.bool))
        shifts = (0.0, 0.1, 0.2, 0.4, 10.0)
        found = [
            chamfer(a, replace(a, xyz=grid + torch.tensor([0.0, 0.0, shift])), cap=torch.tensor([0.3])).item()
            for shift in shifts
        ]
        assert found == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.3], abs=1e-6)

    def test_two_empty_sets_agree_and_one_empty_set_costs_the_cap(self) -> None:
        full, empty = cloud(2, 3, 5), cloud(2, 3, 5, share=0.0)
        cap = torch.tensor([0.3, 0.7])
        assert chamfer(empty, empty, cap=cap).eq(0).all()
        for pair in ((full, empty), (empty, full)):
            torch.testing.assert_close(chamfer(*pair, cap=cap), cap[:, None].expand(2, 3))

    def test_every_sample_has_its_own_cap(self) -> None:
        a, far = cloud(2, 3, 5), cloud(2, 3, 5)
        far = replace(far, xyz=far.xyz + 100)
        torch.testing.assert_close(chamfer(a, far, cap=torch.tensor([0.3, 0.7])), torch.tensor([[0.3] * 3, [0.7] * 3]))


class TestPoints:
    def masked(self) -> tuple[Tensor, Tensor]:
        """Depth (2,3,16,16), and a mask of 0, 9 and 200 pixels of the frames."""
        depth = 3 + torch.rand(2, 3, 16, 16, generator=generator())
        mask = torch.zeros(2, 3, 16, 16, dtype=torch.bool)
        mask[:, 1, 4:7, 5:8] = True
        mask.view(2, 3, 256)[:, 2, :200] = True
        return depth, mask

    def test_only_masked_pixels_are_drawn_each_at_most_once(self) -> None:
        depth, mask = self.masked()
        rays = rays_of(INTRINSICS, 16, 16)
        drawn = points(depth, mask, rays, order(256))
        assert drawn.there.sum(2).tolist() == [[0, 9, POINTS]] * 2
        for place in np.ndindex(2, 3):
            allowed = {tuple(point) for point in (rays * depth[place][..., None])[mask[place]].tolist()}
            found = [tuple(point) for point in drawn.xyz[place][drawn.there[place]].tolist()]
            assert set(found) <= allowed
            assert len(set(found)) == len(found)

    def test_a_small_object_is_drawn_whole(self) -> None:
        depth, mask = self.masked()
        rays = rays_of(INTRINSICS, 16, 16)
        drawn = points(depth, mask, rays, order(256))
        found = drawn.xyz[0, 1][drawn.there[0, 1]]
        expected = (rays * depth[0, 1][..., None])[mask[0, 1]]
        assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, expected.tolist()))

    def test_each_clip_is_unprojected_by_its_own_camera(self) -> None:
        depth, mask = self.masked()
        wider = INTRINSICS * torch.tensor([[0.5], [0.5], [1.0]])
        together = points(depth, mask, rays_of(torch.stack([INTRINSICS, wider]), 16, 16), order(256))
        for number, camera in enumerate([INTRINSICS, wider]):
            one = slice(number, number + 1)
            alone = points(depth[one], mask[one], rays_of(camera, 16, 16), order(256))
            assert torch.equal(together.xyz[one], alone.xyz)

    def test_they_are_unprojected_as_the_geometry_says(self) -> None:
        camera = torch.tensor([[40.0, 0.0, 7.2], [0.0, 44.0, 8.1], [0.0, 0.0, 1.0]])
        depth = 3 + torch.rand(1, 1, 12, 16, generator=generator())
        expected = geometry.unproject(
            geometry.pixel_grid(12, 16), depth[0, 0].numpy(), camera.numpy(), np.eye(4)
        ).reshape(-1, 3)
        mask = torch.zeros(1, 1, 12, 16, dtype=torch.bool)
        mask[0, 0, 3:7, 5:9] = True
        drawn = points(depth, mask, rays_of(camera, 12, 16), order(12 * 16))
        found = drawn.xyz[drawn.there].numpy()
        distance, nearest = cKDTree(expected).query(found)
        assert distance.max() < 1e-5
        assert set(nearest) == set(np.flatnonzero(mask.flatten()))

    def test_the_draw_is_that_of_the_order(self) -> None:
        depth, mask = self.masked()
        rays = rays_of(INTRINSICS, 16, 16)
        one, same, other = (points(depth, mask, rays, order(256, seed)) for seed in (1, 1, 2))
        assert torch.equal(one.xyz, same.xyz)
        assert not torch.equal(one.xyz[:, 2], other.xyz[:, 2])

    def test_equal_masks_are_drawn_alike_in_every_clip_and_frame(self) -> None:
        depth = torch.full((2, 3, 16, 16), 4.0)
        drawn = points(depth, torch.ones(2, 3, 16, 16) > 0, rays_of(INTRINSICS, 16, 16), order(256))
        assert torch.equal(drawn.xyz, drawn.xyz[:1, :1].expand_as(drawn.xyz))

    def test_a_picture_with_fewer_pixels_than_points_is_no_error(self) -> None:
        drawn = points(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 4, 4) > 0, rays_of(INTRINSICS, 4, 4), order(16))
        assert drawn.there.shape == (1, 1, 16)
        assert drawn.there.all()

    def test_the_diameter_is_the_diagonal_of_all_that_is_there(self) -> None:
        a = cloud(2, 3, 20, share=0.5)
        for clip in range(2):
            inside = a.xyz[clip][a.there[clip]].numpy()
            assert diameter(a)[clip].item() == pytest.approx(np.linalg.norm(np.ptp(inside, axis=0)), rel=1e-5)

    def test_the_diameter_of_nothing_is_nothing(self) -> None:
        assert diameter(cloud(2, 3, 20, share=0.0)).tolist() == [0, 0]


def truthful(truth: Truth) -> Read4D:
    return Read4D(
        log_depth=truth.log_depth,
        foreground=CERTAIN * (2 * truth.foreground.float() - 1),
        flow=truth.flow,
        depth_change=truth.depth_change,
        visibility=CERTAIN * (2 * truth.visible.float() - 1),
    )


def terms(read: Read4D, truth: Truth) -> dict[str, Tensor]:
    return reward_terms(read, Scene(truth=truth, rays=rays_of(INTRINSICS, SIZE, SIZE)), generator())


class TestTerms:
    def test_the_truth_itself_gets_the_most(self) -> None:
        """Also of objects with more pixels than points."""
        truth = replace(make_world(4).truth, foreground=torch.ones(4, FRAMES, SIZE, SIZE) > 0)
        found = terms(truthful(truth), truth)
        assert sorted(found) == ["centroid", "chamfer", "overlap"]
        assert found["chamfer"].eq(0).all()
        torch.testing.assert_close(found["overlap"], torch.ones(4, FRAMES - 1))
        torch.testing.assert_close(found["centroid"], torch.zeros(4, FRAMES - 1), atol=1e-3, rtol=0)

    def test_chamfer_falls_as_depth_goes_wrong(self) -> None:
        truth = make_world(4).truth
        found = [
            terms(replace(truthful(truth), log_depth=truth.log_depth + shift), truth)["chamfer"]
            for shift in (0.0, 0.01, 0.03, 0.1)
        ]
        for better, worse in pairwise(found):
            assert (worse < better).all()

    def test_every_term_falls_as_the_object_strays(self) -> None:
        truth = make_world(4).truth
        rewards = []
        for pixels in (0, 2, 4, 8):
            strayed = replace(
                truthful(truth),
                log_depth=truth.log_depth.roll(pixels, 3),
                foreground=truthful(truth).foreground.roll(pixels, 3),
            )
            rewards.append({name: value.mean().item() for name, value in terms(strayed, truth).items()})
        for name in ("chamfer", "centroid"):
            assert [reward[name] for reward in rewards] == sorted((reward[name] for reward in rewards), reverse=True)
            assert rewards[0][name] > rewards[3][name] + 0.01
        assert rewards[3]["centroid"] == pytest.approx(-8, abs=0.1)
        assert rewards[0]["overlap"] == pytest.approx(1)
        assert rewards[3]["overlap"] == pytest.approx(0, abs=0.01)

    def test_a_lost_object_costs_the_cap_and_half_the_width(self) -> None:
        truth = make_world(4).truth
        lost = replace(truthful(truth), foreground=torch.full_like(truth.log_depth, -CERTAIN))
        found = terms(lost, truth)
        everything = points(
            truth.log_depth.exp()[:, 1:], truth.foreground[:, 1:], rays_of(INTRINSICS, SIZE, SIZE), order(SIZE**2)
        )
        cap = (CAP_SHARE * diameter(everything))[:, None].expand(4, FRAMES - 1)
        torch.testing.assert_close(found["chamfer"], -cap)
        torch.testing.assert_close(found["centroid"], torch.full((4, FRAMES - 1), -SIZE / 2))
        assert found["overlap"].max() < 1e-6

    def test_the_first_frame_does_not_count(self) -> None:
        truth = make_world(4).truth
        read = truthful(truth)
        wrong = replace(read, log_depth=read.log_depth.clone(), foreground=read.foreground.clone())
        wrong.log_depth[:, 0] += 1
        wrong.foreground[:, 0] *= -1
        for name, value in terms(wrong, truth).items():
            assert torch.equal(value, terms(read, truth)[name]), name

    def test_standing_still_where_the_truth_moves_costs_something(self) -> None:
        truth = make_world(4).truth
        moving = torch.from_numpy(np.abs(make_world(4).velocity).sum(1) > 0)
        still = replace(
            truthful(truth),
            log_depth=truth.log_depth[:, :1].expand_as(truth.log_depth),
            foreground=truthful(truth).foreground[:, :1].expand_as(truth.log_depth),
        )
        assert moving.any()
        assert (terms(still, truth)["chamfer"].mean(1)[moving] < -0.05).all()

    def test_where_nothing_moves_there_is_nothing_to_gain(self) -> None:
        truth = replace(make_world(4).truth, foreground=torch.zeros_like(make_world(4).truth.foreground))
        found = terms(truthful(truth), truth)
        assert {name: value.abs().max().item() for name, value in found.items()} == dict.fromkeys(found, 0)

    def test_distances_are_metres(self) -> None:
        """A square that is read a known share too far away: its points are that far behind."""
        truth = make_world(4).truth
        read = replace(truthful(truth), log_depth=truth.log_depth + np.log(1.02))
        found = -terms(read, truth)["chamfer"].mean(1)
        nearest, farthest = 0.02 * (NEAR - 8 * APPROACH), 0.02 * (NEAR + 8 * APPROACH) * np.hypot(1, 0.75)
        assert ((found > nearest) & (found < farthest)).all()


def of_samples(values: Tensor) -> Tensor:
    """A reward (B,T-1) whose frames are alike."""
    return values[:, None].expand(-1, 4)


def judged(weights: Stage3Reward = ONLY_CHAMFER, *, group: int, **values: Tensor) -> Tensor:
    """Advantages (B,) of rewards whose frames are alike."""
    found = advantages({name: of_samples(value) for name, value in values.items()}, weights, group=group, spans=WHOLE)
    assert found[:, 0].eq(0).all(), "the first latent frame is given"
    return found[:, 1]


class TestAdvantages:
    def test_they_are_centred_in_every_group(self) -> None:
        values = torch.randn(24, generator=generator()) + torch.arange(4.0).repeat_interleave(6) * 10
        found = judged(chamfer=values, group=6)
        torch.testing.assert_close(found.view(4, 6).mean(1), torch.zeros(4), atol=1e-5, rtol=0)
        assert found.std().item() == pytest.approx(1, abs=1e-3)

    def test_the_better_of_a_group_is_above_nothing_however_good_the_others_are(self) -> None:
        values = torch.tensor([-0.5, -0.4, -0.1, -0.2])
        assert (judged(chamfer=values, group=2) > 0).tolist() == [False, True, True, False]

    @pytest.mark.parametrize("group", [2, 3, 5, 8])
    def test_equal_rewards_give_no_advantage(self, group: int) -> None:
        for reward in (0.0, 0.1, -0.3, 1 / 3):
            found = judged(chamfer=torch.full((4 * group,), reward), group=group)
            torch.testing.assert_close(found, torch.zeros(4 * group), atol=1e-6, rtol=0)

    def test_a_group_of_equal_rewards_learns_nothing_beside_others(self) -> None:
        values = torch.cat([torch.full((4,), 0.7), torch.randn(4, generator=generator())])
        torch.testing.assert_close(judged(chamfer=values, group=4)[:4], torch.zeros(4), atol=1e-5, rtol=0)

    def test_they_end_at_five_deviations(self) -> None:
        values = torch.zeros(100)
        values[7] = 1e6
        assert judged(chamfer=values, group=50).max() == 5

    def test_the_scale_of_a_term_does_not_matter_and_its_weight_does(self) -> None:
        one, other = torch.randn(16, generator=generator(1)), torch.randn(16, generator=generator(2))
        both = Stage3Reward(chamfer=1.0, overlap=2.0, centroid=0.0)
        found = judged(both, chamfer=one, overlap=other, group=4)
        scaled = judged(both, chamfer=100 * one + 3, overlap=other / 50, group=4)
        torch.testing.assert_close(found, scaled, atol=2e-2, rtol=0)
        swapped = judged(both, chamfer=other, overlap=one, group=4)
        assert (found - swapped).abs().max() > 0.1

    def test_weights_below_zero_ask_for_the_opposite(self) -> None:
        one, other = torch.randn(16, generator=generator(1)), torch.randn(16, generator=generator(2))
        there, back = (Stage3Reward(chamfer=sign * 1.0, overlap=sign * 2.0, centroid=0.0) for sign in (1, -1))
        found, turned = (judged(weights, chamfer=one, overlap=other, group=4) for weights in (there, back))
        torch.testing.assert_close(turned, -found)

    def test_a_term_without_weight_is_not_heard(self) -> None:
        values, other = torch.randn(8, generator=generator(1)), torch.randn(8, generator=generator(2))
        alone = judged(chamfer=values, group=4)
        torch.testing.assert_close(judged(chamfer=values, centroid=other, group=4), alone)

    def test_a_latent_frame_is_credited_with_the_frames_it_covers_alone(self) -> None:
        spans = (range(0, 1), range(1, 5), range(5, 9))
        values = torch.randn(12, 8, generator=generator(1))
        found = advantages({"chamfer": values}, ONLY_CHAMFER, group=4, spans=spans)
        later = values.clone()
        later[:, 4:] = torch.randn(12, 4, generator=generator(2))
        other = advantages({"chamfer": later}, ONLY_CHAMFER, group=4, spans=spans)
        assert torch.equal(found[:, 1].argsort(), other[:, 1].argsort())
        assert not torch.equal(found[:, 2].argsort(), other[:, 2].argsort())
        earned = values[:, 4:].mean(1).view(3, 4)
        centred = (earned - earned.mean(1, keepdim=True)).flatten()
        correlation = torch.corrcoef(torch.stack([found[:, 2], centred]))[0, 1].item()
        assert correlation == pytest.approx(1, abs=1e-5)

    def test_a_whole_sample_is_as_good_as_its_latent_frames_together(self) -> None:
        values = torch.randn(12, 8, generator=generator(1))
        found = overall(
            advantages({"chamfer": values}, ONLY_CHAMFER, group=4, spans=(range(0, 1), range(1, 5), range(5, 9)))
        )
        expected = judged(chamfer=values.mean(1), group=4)
        torch.testing.assert_close(found, expected, atol=1e-2, rtol=0)
